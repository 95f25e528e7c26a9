"""The GeoPackage form of an SQLite file, written by hand and without R-tree triggers.

A spatial index made by GDAL has triggers that call functions only GDAL has, so that plain SQLite can insert nothing.
Clauses and annexes are those of the GeoPackage Encoding Standard 1.2, OGC 12-128r14.
"""

from __future__ import annotations

import sqlite3
import struct
from typing import Any, Dict, Mapping, Optional, Tuple

from up42_plugin.core.geometry.polygons import Rings, to_wkb

#: Clause 1.1.1.1.1: ``GPKG`` in ASCII as ``application_id``, and the version as ``user_version``.
APPLICATION_ID = 0x47504B47
USER_VERSION = 10200
WGS84 = 4326

_MAGIC = b"GP"
_LITTLE_ENDIAN_WITH_ENVELOPE = 0b0000_0011
_FEWEST_POINTS = 3  # of a ring
_HEADER = struct.Struct("<2sBBi4d")

# Annex C, its definitions of tables
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
    srs_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL,
    definition TEXT NOT NULL,
    description TEXT
);
CREATE TABLE gpkg_contents (
    table_name TEXT NOT NULL PRIMARY KEY,
    data_type TEXT NOT NULL,
    identifier TEXT UNIQUE,
    description TEXT DEFAULT '',
    last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE,
    min_y DOUBLE,
    max_x DOUBLE,
    max_y DOUBLE,
    srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)
);
CREATE TABLE gpkg_geometry_columns (
    table_name TEXT NOT NULL,
    column_name TEXT NOT NULL,
    geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL,
    z TINYINT NOT NULL,
    m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
    CONSTRAINT uk_gc_table_name UNIQUE (table_name),
    CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
    CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id)
)
"""

_WGS84_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]'
)
# Clause 1.1.2.1.2: these three are required
_SYSTEMS = (
    ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", "undefined cartesian coordinate reference system"),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
    ("WGS 84 geodetic", WGS84, "EPSG", WGS84, _WGS84_WKT, "longitude and latitude in degrees, WGS 84"),
)


def make_geopackage(connection: sqlite3.Connection) -> None:
    """Give an SQLite file the required tables, ``application_id`` and ``user_version``; within the transaction."""
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", _SYSTEMS)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {USER_VERSION}")


def register_polygons(connection: sqlite3.Connection, table: str, column: str, title: str) -> None:
    """Make a table with polygons in EPSG:4326 a layer (clauses 1.1.3 and 2.1.5)."""
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, 'features', ?, ?)",
        (table, title, WGS84),
    )
    connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, 'POLYGON', ?, 0, 0)", (table, column, WGS84))


def geometry_blob(rings: Rings) -> bytes:
    """A polygon as GeoPackageBinary (clause 2.1.3): header with envelope, then WKB."""
    xs, ys = [x for x, _ in rings[0]], [y for _, y in rings[0]]
    envelope = min(xs), max(xs), min(ys), max(ys)
    return _HEADER.pack(_MAGIC, 0, _LITTLE_ENDIAN_WITH_ENVELOPE, WGS84, *envelope) + to_wkb(rings)


def envelope_of(blob: bytes) -> Tuple[float, float, float, float]:
    """West, south, east, north of a :func:`geometry_blob`."""
    west, east, south, north = _HEADER.unpack_from(blob)[4:]
    return west, south, east, north


def geojson_of(blob: bytes) -> Dict[str, Any]:
    """The GeoJSON polygon of a :func:`geometry_blob`, to the last bit. Raises ``ValueError`` for any other blob."""
    try:
        magic, _, flags, *_ = _HEADER.unpack_from(blob)
        at = _HEADER.size
        order, kind, count = struct.unpack_from("<BII", blob, at)
        if (magic, flags, order, kind) != (_MAGIC, _LITTLE_ENDIAN_WITH_ENVELOPE, 1, 3):
            raise ValueError("not a polygon of the ledger")
        at += 9
        rings = []
        for _ in range(count):
            (points,) = struct.unpack_from("<I", blob, at)
            numbers = struct.unpack_from(f"<{2 * points}d", blob, at + 4)
            rings.append([[x, y] for x, y in zip(numbers[::2], numbers[1::2])])
            at += 4 + 16 * points
    except struct.error as error:
        raise ValueError("not a whole polygon") from error
    return {"type": "Polygon", "coordinates": rings}


def rings_of(geojson: Optional[Mapping[str, Any]]) -> Optional[Rings]:
    """The rings of a GeoJSON polygon in plain numbers, None for anything else."""
    if not isinstance(geojson, dict) or geojson.get("type") != "Polygon":
        return None
    try:
        rings = tuple(tuple((float(point[0]), float(point[1])) for point in ring) for ring in geojson["coordinates"])
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return rings if rings and all(len(ring) >= _FEWEST_POINTS for ring in rings) else None
