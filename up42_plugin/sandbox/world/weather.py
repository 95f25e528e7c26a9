"""Weather over the made-up Earth: smooth fields that wander with the wind, warm days, cool heights, dry summers."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Callable, Dict, Optional, Tuple

import numpy as np

from up42_plugin.sandbox.world.lattice import Array, F, Points, clamp, fbm, plane, step
from up42_plugin.sandbox.world.view import SEED

_EPOCH = datetime(2015, 1, 1, tzinfo=timezone.utc)
_FRONT = 340e3  # size of highs and lows (nominal metres)
_DRIFT_EAST, _DRIFT_NORTH = 6.5e3, 1.4e3  # metres an hour that they travel
_SHOWER = 18e3
_LAPSE = 0.0065
_HOURS, _DAYS = 24.0, 365.25
_ZERO_K = 273.15


class Weather:
    """The state of the air over points (degrees, any shape) at ground heights in metres, at one moment."""

    def __init__(self, lon: Array, lat: Array, height: Array, moment: datetime) -> None:
        self._shape, self._lat, self._height = lon.shape, lat.ravel(), np.maximum(height, 0).ravel()
        self._hours = (moment - _EPOCH).total_seconds() / 3600
        self._lon = lon.ravel()
        x, y = plane(self._lon, self._lat)
        self._p = Points(x, y, np.full(x.shape, 100.0, F))
        self._known: Dict[str, Array] = {}

    def _field(self, name: str, size: float, salt: int, octaves: int = 3) -> Array:
        """Noise of about -1..1 that drifts; each field once."""
        if name not in self._known:
            moved = self._p.moved(-self._hours * _DRIFT_EAST, -self._hours * _DRIFT_NORTH)
            self._known[name] = fbm(moved, size, octaves, SEED + salt, 0.55)
        return self._known[name]

    def _summer(self) -> Array:
        """-1 in the middle of winter, 1 in that of summer."""
        day = self._hours / _HOURS % _DAYS
        return np.cos((day - 200) * 2 * np.pi / _DAYS) * np.clip(self._lat / 30, -1, 1)

    def temperature(self) -> Array:
        """Degrees Celsius two metres above the ground."""
        sun = np.cos(((self._hours + self._lon / 15) % _HOURS - 14.5) * 2 * np.pi / _HOURS)
        mean = 28 - 0.42 * np.maximum(np.abs(self._lat) - 8, 0)
        swing = 0.22 * np.minimum(np.abs(self._lat), 60) * np.abs(self._summer()) * np.sign(self._summer())
        daily = (2.2 + 2.6 * (1 - self.clouds()) + 0.002 * self._height) * sun
        return self._out(mean + swing + daily + 4.5 * self._front() - _LAPSE * self._height)

    def _front(self) -> Array:
        return self._field("front", _FRONT, 900)

    def clouds(self) -> Array:
        """Share of the sky, 0..1."""
        dry = 0.18 * self._summer() * (np.abs(self._lat) < 45)
        return step(-0.35, 0.6, self._field("clouds", 120e3, 910, 5) - 0.5 * self._front() - dry)

    def rain(self) -> Array:
        """Millimetres in an hour."""
        wet = self._field("showers", _SHOWER, 930, 4) + 0.9 * self.clouds() - 0.75
        return self._out(6.0 * np.maximum(wet, 0) ** 1.5)

    def wind(self) -> Array:
        """Metres a second ten metres above the ground."""
        gust = self._field("wind", 60e3, 950, 4)
        return self._out(np.abs(4.5 + 3.2 * gust - 2.0 * self._front()) + 0.0012 * self._height)

    def humidity(self) -> Array:
        """Per cent."""
        return self._out(clamp(62 + 24 * self.clouds().astype(F) - 9 * self._summer() - 6 * self._front(), 12, 100))

    def pressure(self) -> Array:
        """Hectopascals at sea level."""
        return self._out(1014 + 13 * self._front())

    def cloud_share(self) -> Array:
        """The clouds in the points' shape."""
        return self._out(self.clouds())

    def _out(self, values: Array) -> Array:
        return np.asarray(values, F).reshape(self._shape)


_Read = Callable[[Weather, "re.Match[str]"], Array]
_UNITS: Dict[Tuple[str, str], Callable[[Array], Array]] = {
    ("C", "K"): lambda v: v + F(_ZERO_K),
    ("C", "F"): lambda v: v * F(1.8) + F(32),
    ("ms", "kmh"): lambda v: v * F(3.6),
    ("ms", "kn"): lambda v: v * F(1.943844),
    ("hPa", "Pa"): lambda v: v * F(100),
    ("p", "octas"): lambda v: v * F(0.08),
}
_UDUNITS = {"C": "degC", "K": "K", "F": "degF", "mm": "mm", "ms": "m s-1", "kmh": "km h-1", "kn": "knot"}
_UDUNITS.update({"p": "percent", "octas": "1", "hPa": "hPa", "Pa": "Pa"})


def _dew_point(air: Weather, _found: re.Match[str]) -> Array:
    gamma = np.log(air.humidity() / 100) + 17.62 * air.temperature() / (243.12 + air.temperature())
    return (243.12 * gamma / (17.62 - gamma)).astype(F)


def _at_height(air: Weather, found: re.Match[str]) -> Array:
    return air.wind() * F((max(float(found.group(1)), 2.0) / 10) ** 0.14)


def _in_interval(air: Weather, found: re.Match[str]) -> Array:
    hours = float(found.group(1)) * {"min": 1 / 60, "h": 1, "d": 24}[found.group(2)]
    return air.rain() * F(hours)


# Pattern of the name, unit of the reading, what it is for people, CF's standard name, the reading.
_VARIABLES: Tuple[Tuple[str, str, str, str, _Read], ...] = (
    (r"t_2m", "C", "Air temperature", "air_temperature", lambda air, _: air.temperature()),
    (r"dew_point_2m", "C", "Dew point", "dew_point_temperature", _dew_point),
    (r"precip_(\d+)(min|h|d)", "mm", "Precipitation", "precipitation_amount", _in_interval),
    (r"wind_speed_(\d+)m", "ms", "Wind speed", "wind_speed", _at_height),
    (r"relative_humidity_2m", "p", "Relative humidity", "relative_humidity", lambda air, _: air.humidity()),
    (r"msl_pressure", "hPa", "Pressure at sea level", "air_pressure_at_mean_sea_level", lambda air, _: air.pressure()),
    (
        r"(?:effective|total|low|medium|high)_cloud_cover",
        "p",
        "Cloud cover",
        "cloud_area_fraction",
        lambda air, _: air.cloud_share() * F(100),
    ),
    (
        r"prob_precip_(?:\d+)(?:min|h|d)",
        "p",
        "Probability of precipitation",
        "",
        lambda air, _: clamp(air.rain() * F(60) + air.cloud_share() * F(25), 0, 100),
    ),
)


class Variable:
    """One quantity, by its name in the catalogue of the weather service: ``<name>:<unit>``."""

    def __init__(self, name: str, unit: str, entry: Tuple[str, str, str, str, _Read], found: re.Match[str]) -> None:
        self.name, self.unit = name, unit
        self.title, self.standard_name = entry[2], entry[3]
        self.cf_unit = _UDUNITS.get(unit, unit)
        self._own, self._read, self._found = entry[1], entry[4], found

    def values(self, air: Weather) -> Array:
        """The quantity in its unit (float32)."""
        values = self._read(air, self._found)
        return np.asarray(values if self.unit == self._own else _UNITS[self._own, self.unit](values), F)


def variable(text: str) -> Optional[Variable]:
    """The quantity that ``t_2m:C`` and its like name; None for one that is not known here."""
    name, _, unit = text.partition(":")
    for entry in _VARIABLES:
        found = re.fullmatch(entry[0], name)
        if found is not None and (unit == entry[1] or (entry[1], unit) in _UNITS):
            return Variable(name, unit, entry, found)
    return None


def known_names() -> str:
    """Some names for a message."""
    return "t_2m:C, dew_point_2m:C, precip_5min:mm, wind_speed_10m:ms, relative_humidity_2m:p, msl_pressure:hPa"
