"""Polygons in EPSG:4326: mended, joined, rounded, measured, and what can be wrong with them."""
