"""Blocks that deliver scenes, and the formats of their providers."""
