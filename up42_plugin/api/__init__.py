"""The service as it is: typed clients over ``requests``. Imports neither qgis, PyQt nor osgeo."""
