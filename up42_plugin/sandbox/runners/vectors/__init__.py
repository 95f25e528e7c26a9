"""Blocks that turn images into polygons, numbers and counts."""
