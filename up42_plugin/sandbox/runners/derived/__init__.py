"""Blocks that compute rasters from images."""
