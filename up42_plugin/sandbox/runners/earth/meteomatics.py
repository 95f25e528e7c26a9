"""Block ``meteomatics``: weather over the area through time, one NetCDF file per variable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, List, Mapping, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox import geometry, weather_steps
from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import WGS84, grid_lonlat
from up42_plugin.sandbox.runners import data_json, grids, made_up
from up42_plugin.sandbox.runners.checked import texts, whole_number
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR
from up42_plugin.sandbox.runners.formats import netcdf
from up42_plugin.sandbox.runners.parameters import area_of
from up42_plugin.sandbox.world import view, weather

# Degrees between points, by the size of the area in square kilometres.
_SPACING: Sequence[Tuple[float, float]] = ((100.0, 0.001), (10_000.0, 0.01), (100_000.0, 0.1), (float("inf"), 1.0))
_FEWEST = 2  # points along a side; NetCDF has no pixel size for one
_MOST_VALUES = 16_000_000
_MOST_MOMENTS = 20_000


@dataclass(frozen=True)
class WeatherUsage(Usage):
    """What was consumed, with the data points that weather is priced by."""

    data_points: int = 0


def run(task: Task) -> Usage:
    """``<uuid>/<variable, : replaced by _>.nc`` per time range and variable: float32, EPSG:4326, a band per moment."""
    area = area_of(task.parameters)
    variables = _variables(task.parameters)
    whole_number(task.parameters, "time_interval", 1, weather_steps.LONGEST_H)
    grid = grid_over(area)
    _check_size(grid, weather_steps.counts(task.parameters))
    ranges = weather_steps.moments(task.parameters)
    west, south, east, north = geometry.bounds(area)
    outline = geometry.polygon_of((west, south, east, north))
    features: List[data_json.Feature] = []
    for moments in ranges:
        folder = made_up.fixed_uuid("meteomatics", area, moments[0], moments[-1])
        files = [f"{folder}/{name.replace(':', '_')}.nc" for name in variables]
        _write(task, grid, moments, list(zip(variables.values(), files)))
        for name, path in zip(variables, files):
            about = {
                "model_type": "mix",
                "parameter_name": name.replace(":", "_"),
                "startDate": f"{moments[0]:%Y-%m-%dT%H:%M:%SZ}",
                "endDate": f"{moments[-1]:%Y-%m-%dT%H:%M:%SZ}",
                **made_up.properties(),
            }
            features.append(data_json.feature(None, outline, about, path))
    data_json.write(task, features)
    return WeatherUsage(
        square_km=geometry.area_km2(area),
        scenes=len(features),
        output_bytes=data_json.output_bytes(task),
        pixels=grid.width * grid.height * sum(map(len, ranges)) * len(variables),
        data_points=weather_steps.data_points(task.parameters),
    )


def _variables(parameters: Mapping[str, Any]) -> Mapping[str, weather.Variable]:
    found = {}
    for text in texts(parameters, "variables"):
        known = weather.variable(text)
        if known is None:
            message = f"variables: {text} is not known, possible are {weather.known_names()}"
            raise RunnerError(INPUT_PARAMETERS_ERROR, message)
        found[text] = known
    if not found:
        raise RunnerError(INPUT_PARAMETERS_ERROR, "variables must name at least one")
    return found


def grid_over(area: Mapping[str, Any]) -> Grid:
    """Points over the area's box, as far apart as its size says; each in the middle of a pixel."""
    square_km = geometry.area_km2(area)
    spacing = next(spacing for most, spacing in _SPACING if square_km <= most)
    west, south, east, north = geometry.bounds(area)
    width, height = (max(round(side / spacing), _FEWEST) for side in (east - west, north - south))
    return Grid(WGS84, round(west, 6), round(north, 6), spacing, width, height)


def _check_size(grid: Grid, counts: Sequence[int]) -> None:
    if not counts:
        raise RunnerError(INPUT_PARAMETERS_ERROR, "time or time_series is needed")
    longest = max(counts)
    if longest > _MOST_MOMENTS or longest * grid.width * grid.height > _MOST_VALUES:
        message = f"{longest} moments at {grid.width * grid.height} points are too many, ask for a shorter time"
        raise RunnerError(INPUT_PARAMETERS_ERROR, message)


def _write(task: Task, grid: Grid, moments: Sequence[datetime], files: Sequence[Tuple[weather.Variable, str]]) -> None:
    lon, lat = grid_lonlat(grid)
    height = np.empty(lon.shape, np.float32)
    for row, rows in grids.strips(grid.width, grid.height):
        part = slice(row, row + rows)
        height[part] = view.elevation(lon[part], lat[part], 100.0, made_up.seed_of(task))
    for variable, path in files:

        def values(number: int, variable: weather.Variable = variable) -> np.ndarray:
            task.check()
            return variable.values(weather.Weather(lon, lat, height, moments[number]))

        about = {"long_name": variable.title, "units": variable.cf_unit, "comment": made_up.NOTE}
        if variable.standard_name:
            about["standard_name"] = variable.standard_name
        task.log("INFO", f"Writing {path}: {len(moments)} moments of {grid.width} x {grid.height} points")
        netcdf.write(task.target / path, grid, netcdf.Layer(variable.name, about), moments, values)
