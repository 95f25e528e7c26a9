"""What a job is: areas, configurations, estimations, submissions, outputs. Imports neither qgis nor PyQt."""
