"""From shapes in any CRS to one AOI, with the mends the person chose on the way. Main thread only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsGeometry,
    QgsRectangle,
)

from up42_plugin.core import mending
from up42_plugin.core.aoi import AOI, MINIMUM_KM2, AoiError, AoiProblem
from up42_plugin.core.feature_labels import numbered
from up42_plugin.core.geometry.errors import EMPTY, no_crs, refuse
from up42_plugin.core.geometry.polygons import Rings, polygons_from_wkb, to_wkb
from up42_plugin.core.mending import Mend, MendKind
from up42_plugin.qgis_bridge.reprojection import LONGITUDE_LATITUDE, Reprojection

_FRAME_POINTS = 20
# Mends that ask the person for something first.
_ASKING = (MendKind.BUFFER, MendKind.SET_CRS)


@dataclass(frozen=True)
class Material:
    """Shapes as they are: WKB in ``crs``, one for each feature.

    ``what`` says for people what they are (``map extent``); ``own_names`` are the features' own, empty or none.
    """

    wkbs: Tuple[bytes, ...]
    crs: QgsCoordinateReferenceSystem
    what: str = ""
    own_names: Tuple[str, ...] = ()

    @property
    def names(self) -> Tuple[str, ...]:
        """A name for each feature, empty where it has none."""
        return self.own_names if len(self.own_names) == len(self.wkbs) else ("",) * len(self.wkbs)

    def features(self) -> Tuple[Material, ...]:
        """Each feature for itself."""
        labels = numbered(self.names)
        return tuple(Material((wkb,), self.crs, f"{label}, {self.what}") for wkb, label in zip(self.wkbs, labels))

    @property
    def digest(self) -> str:
        """Another text for other shapes, in this session and the next."""
        crs = self.crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED)
        digest = hashlib.sha256(crs.encode())
        for wkb in self.wkbs:
            digest.update(hashlib.sha256(wkb).digest())
        return digest.hexdigest()

    def same_shapes(self, other: Optional[Material]) -> bool:
        """Whether both are the same place on earth, whatever they are called."""
        return other is not None and self.wkbs == other.wkbs and self.crs == other.crs


@dataclass(frozen=True)
class Offer:
    """A problem with the mend that helps, if one does, and the sizes in km² before and after (None: not known).

    ``pieces`` are the sizes of the jobs that a division makes. In a batch ``which`` names the features with this
    problem, and ``count`` says how many they are.
    """

    problem: AoiProblem
    kind: Optional[MendKind] = None
    before_km2: Optional[float] = None
    after_km2: Optional[float] = None
    pieces: Tuple[float, ...] = ()
    which: str = ""
    count: int = 1


class AreaMaker:
    """Makes areas with a project's transform context; ``boxed`` and ``minimum_km2`` as :class:`AOI` takes them."""

    def __init__(
        self, context: QgsCoordinateTransformContext, boxed: bool = False, minimum_km2: float = MINIMUM_KM2
    ) -> None:
        self._context, self._boxed, self._minimum = context, boxed, minimum_km2

    def aoi(self, material: Material, mends: Sequence[Mend] = ()) -> AOI:
        """The area of mended shapes; raises :class:`AoiError` with everything that is still wrong."""
        aoi = AOI.from_polygons(self.polygons(material, mends), material.what, self._boxed, self._minimum)
        return aoi.without_holes() if _has(mends, MendKind.FILL) else aoi

    def polygons(self, material: Material, mends: Sequence[Mend] = ()) -> List[Rings]:
        """The mended polygons in EPSG:4326, not yet one; raises :class:`AoiError` for what cannot be used at all."""
        chosen = {mend.kind: mend for mend in mends}
        found = self._located(material, chosen)
        for kind, work in self._steps():
            if kind in chosen and found:
                found = work(found)
        if not found:
            raise refuse(EMPTY, "The area is empty.")
        return found

    def offers(self, material: Material, mends: Sequence[Mend], error: AoiError) -> Tuple[Offer, ...]:
        """For each problem of ``error`` the first mend that really helps."""
        return tuple(self.offer(material, tuple(mends), problem) for problem in error.problems)

    def shown(self, material: Material, mends: Sequence[Mend] = ()) -> Tuple[QgsGeometry, ...]:
        """The unmended shapes in EPSG:4326 for the map; what cannot be brought there is left out."""
        crs = _crs_of(material, {mend.kind: mend for mend in mends})
        return tuple(geometry for geometry in (self._in_degrees(wkb, crs) for wkb in material.wkbs) if geometry)

    def _steps(self) -> Tuple[Tuple[MendKind, Callable[[List[Rings]], List[Rings]]], ...]:
        return (
            (MendKind.REPAIR, mending.repaired),
            (MendKind.SPLIT, mending.larger_side),
            (MendKind.JOIN, mending.joined),
            (MendKind.SIMPLIFY, self._simplified),
            (MendKind.ENLARGE, lambda polygons: mending.enlarged(polygons, self._minimum, self._boxed)),
        )

    def _located(self, material: Material, chosen: Dict[MendKind, Mend]) -> List[Rings]:
        """The polygons in longitude and latitude."""
        crs = _crs_of(material, chosen)
        if not crs.isValid():
            raise no_crs()
        if MendKind.BUFFER in chosen:
            geometries = [self._in_degrees(wkb, crs) for wkb in material.wkbs]
            wkbs = [bytes(geometry.asWkb()) for geometry in geometries if geometry]
            return mending.buffered(wkbs, chosen[MendKind.BUFFER].amount)
        polygons = [rings for wkb in material.wkbs for rings in polygons_from_wkb(wkb)]
        if MendKind.CUT in chosen:
            polygons = [part for frame in self._frame(crs) for part in mending.cut(polygons, frame)]
        if MendKind.REPAIR in chosen:
            polygons = mending.repaired(polygons)
        if not polygons:
            return []
        return Reprojection(crs, self._context).polygons([to_wkb(rings) for rings in polygons])

    def _simplified(self, polygons: List[Rings]) -> List[Rings]:
        """With the smallest tolerance that lets the outline be written."""
        for tolerance in mending.SIMPLIFYING_DEG:
            found = mending.simplified(polygons, tolerance)
            try:
                AOI.from_polygons(found, "", self._boxed, 0.0)
            except AoiError:
                continue
            return found
        return []

    def offer(self, material: Material, mends: Tuple[Mend, ...], problem: AoiProblem) -> Offer:
        """A problem with the first mend that really helps."""
        for kind in mending.mends_of(problem.code):
            if kind in _ASKING:
                if material.wkbs:
                    return Offer(problem, kind)
                continue
            if _has(mends, kind):
                continue
            after = self._after(material, (*mends, Mend(kind)), problem.code)
            if after is not None:
                return Offer(problem, kind, self.size(material, mends), after)
        return Offer(problem)

    def _after(self, material: Material, mends: Tuple[Mend, ...], code: str) -> Optional[float]:
        """The size in km² once mended, None where the problem would stay."""
        try:
            return self.aoi(material, mends).area_km2
        except AoiError as error:
            if code in error.codes:
                return None
            if error.aoi is not None:
                return error.aoi.area_km2
        try:
            return mending.total_km2(self.polygons(material, mends))
        except AoiError:
            return None

    def size(self, material: Material, mends: Tuple[Mend, ...]) -> Optional[float]:
        """The size in km² of shapes that are no area yet; None where it cannot be told."""
        try:
            polygons = self.polygons(material, mends)
        except AoiError:
            return None
        whole = [rings for rings in map(mending.unwrapped, polygons) if rings]
        return mending.total_km2(whole) if len(whole) == len(polygons) else None

    def _frame(self, crs: QgsCoordinateReferenceSystem) -> List[Rings]:
        """The area of use of a CRS, in its own coordinates."""
        bounds = crs.bounds()
        if bounds.isEmpty():
            bounds = QgsRectangle(-180, -90, 180, 90)
        geometry = QgsGeometry.fromRect(bounds).densifyByCount(_FRAME_POINTS)
        transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem(LONGITUDE_LATITUDE), crs, self._context)
        try:
            geometry.transform(transform)
            return polygons_from_wkb(bytes(geometry.asWkb()))
        except (QgsCsException, AoiError):
            return []

    def _in_degrees(self, wkb: bytes, crs: QgsCoordinateReferenceSystem) -> Optional[QgsGeometry]:
        geometry = QgsGeometry()
        geometry.fromWkb(wkb)
        transform = QgsCoordinateTransform(crs, QgsCoordinateReferenceSystem(LONGITUDE_LATITUDE), self._context)
        try:
            geometry.transform(transform)
        except QgsCsException:
            return None
        return geometry if not geometry.isNull() and geometry.boundingBox().isFinite() else None


def _crs_of(material: Material, chosen: Dict[MendKind, Mend]) -> QgsCoordinateReferenceSystem:
    if MendKind.SET_CRS in chosen:
        return QgsCoordinateReferenceSystem.fromWkt(chosen[MendKind.SET_CRS].crs)
    return material.crs


def _has(mends: Sequence[Mend], kind: MendKind) -> bool:
    return any(mend.kind is kind for mend in mends)
