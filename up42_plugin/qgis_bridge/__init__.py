"""QGIS as it is: selection, network settings, credentials, background jobs, layers and styles."""
