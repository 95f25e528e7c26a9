"""One area for a job, or several: of each feature, and of an area that is too large for one job. Main thread only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from qgis.core import QgsCoordinateTransformContext

from up42_plugin.core import mending
from up42_plugin.core.aoi import AOI, MINIMUM_KM2, AoiError, AoiProblem, size_problems
from up42_plugin.core.dividing import MOST_PIECES, divided, measured
from up42_plugin.core.feature_labels import numbered, telling
from up42_plugin.core.geometry.errors import TOO_MANY, refuse
from up42_plugin.core.job_areas import JobArea
from up42_plugin.core.mending import Mend, MendKind
from up42_plugin.qgis_bridge.area_material import AreaMaker, Material, Offer

_LISTED = 3


@dataclass(frozen=True)
class Made:
    """One area, or a batch, or what is wrong. ``touched`` are the shapes that mends made other ones of."""

    aoi: Optional[AOI] = None
    areas: Tuple[JobArea, ...] = ()
    error: Optional[AoiError] = None
    offers: Tuple[Offer, ...] = ()
    touched: Tuple[Material, ...] = ()
    size_km2: Optional[float] = None


@dataclass(frozen=True)
class _Feature:
    """A feature's shapes, the area they make or why they make none, and the mends it took."""

    name: str
    material: Material
    aoi: Optional[AOI]
    error: Optional[AoiError]
    mends: Tuple[Mend, ...]


class AreaBuilder:
    """Builds areas by a project's rules: the smallest a job takes and, for live jobs, the largest."""

    def __init__(
        self,
        context: QgsCoordinateTransformContext,
        boxed: bool = False,
        minimum_km2: float = MINIMUM_KM2,
        maximum_km2: Optional[float] = None,
    ) -> None:
        self.maker = AreaMaker(context, boxed, minimum_km2)
        self._boxed, self._minimum, self._maximum = boxed, minimum_km2, maximum_km2

    def whole(self, material: Material, mends: Sequence[Mend], known: Optional[AOI] = None) -> Made:
        """All shapes as one area, divided where the person asked for it."""
        touched = (material,) if mends else ()
        try:
            aoi = known or self.maker.aoi(material, mends)
        except AoiError as error:
            return Made(error=error, offers=self.maker.offers(material, mends, error), touched=touched)
        return self._sized([_Feature("", material, aoi, None, tuple(mends))], mends)

    def each(self, material: Material, mends: Sequence[Mend]) -> Made:
        """One area for each feature. One that cannot be used is a problem of all: nothing is left out unasked."""
        if len(material.wkbs) > MOST_PIECES:
            count = len(material.wkbs)
            return Made(
                error=refuse(TOO_MANY, f"{count:,} features, {MOST_PIECES:,} at most with one job per feature.")
            )
        features = [
            self._feature(name, part, mends) for name, part in zip(telling(material.names), material.features())
        ]
        if any(feature.error is not None for feature in features):
            return self._refused(features)
        return self._sized(features, mends)

    def _feature(self, name: str, material: Material, mends: Sequence[Mend]) -> _Feature:
        """A feature with those mends that help against what is wrong with it."""
        applied = tuple(mend for mend in mends if mend.kind is MendKind.FILL)
        while True:
            try:
                return _Feature(name, material, self.maker.aoi(material, applied), None, applied)
            except AoiError as error:
                helping = [kind for code in error.codes for kind in mending.mends_of(code)]
                more = next((mend for mend in mends if mend.kind in helping and mend not in applied), None)
                if more is None:
                    return _Feature(name, material, None, error, applied)
                applied = (*applied, more)

    def _sized(self, features: Sequence[_Feature], mends: Sequence[Mend]) -> Made:
        """Usable features, divided as far as the person asked for it, and what is still too large for a live job."""
        agreed = next((mend.amount for mend in mends if mend.kind is MendKind.DIVIDE), None)
        parts = [self._divided(feature.aoi, agreed) for feature in features if feature.aoi is not None]
        areas = _labelled([feature.name for feature in features], parts)
        large = [number for number, aois in enumerate(parts) if any(map(self._above, aois))]
        touched = tuple(
            feature.material for feature, aois in zip(features, parts) if len(aois) > 1 or _changed(feature, mends)
        )
        size = sum(area.aoi.area_km2 for area in areas)
        offers = (self._division(features, large, agreed),) if large else ()
        if len(areas) == 1:
            return Made(aoi=areas[0].aoi, offers=offers, touched=touched, size_km2=size)
        return Made(areas=areas, offers=offers, touched=touched, size_km2=size)

    def _divided(self, aoi: AOI, limit_km2: Optional[float]) -> Tuple[AOI, ...]:
        """The area in pieces; itself where it is small enough or cannot be divided."""
        if limit_km2 is None or measured(aoi.rings, self._boxed) <= limit_km2:
            return (aoi,)
        try:
            pieces = [
                AOI.from_polygons([rings], aoi.source, self._boxed, self._minimum)
                for rings in divided(aoi.rings, limit_km2, self._minimum, self._boxed)
            ]
        except AoiError:
            return (aoi,)
        # Rounding may add what the division left: rather none than one that the service refuses.
        fit = all(measured(piece.rings, self._boxed) <= limit_km2 for piece in pieces)
        return tuple(pieces) if pieces and fit else (aoi,)

    def _above(self, aoi: AOI) -> bool:
        return self._maximum is not None and measured(aoi.rings, self._boxed) > self._maximum

    def _division(self, features: Sequence[_Feature], large: Sequence[int], agreed: Optional[float]) -> Offer:
        """What is too large for a live job, and into how many jobs it can be divided."""
        (problem,) = size_problems(float("inf"), 0.0, self._maximum)
        pieces: List[AOI] = []
        helps = agreed != self._maximum
        for number in large if helps else ():
            aoi = features[number].aoi
            found = self._divided(aoi, self._maximum) if aoi is not None else ()
            helps = helps and len(found) > 1
            pieces.extend(found)
        if len(features) > 1:
            problem = _of_features(problem, len(large), len(features))
        helps = helps and len(pieces) + len(features) - len(large) <= MOST_PIECES
        return Offer(
            problem,
            MendKind.DIVIDE if helps else None,
            pieces=tuple(piece.area_km2 for piece in pieces) if helps else (),
            which=_which(features, large),
            count=len(large),
        )

    def _refused(self, features: Sequence[_Feature]) -> Made:
        """Everything that is wrong, each problem once with the features that have it."""
        groups: Dict[AoiProblem, List[int]] = {}
        for number, feature in enumerate(features):
            for problem in feature.error.problems if feature.error is not None else ():
                groups.setdefault(problem, []).append(number)
        offers = tuple(self._offer(features, problem, numbers) for problem, numbers in groups.items())
        sizes = [self._size_of(feature) for feature in features]
        known = [size for size in sizes if size is not None]
        return Made(
            error=AoiError(tuple(offer.problem for offer in offers)),
            offers=offers,
            touched=tuple(feature.material for feature in features if feature.mends),
            size_km2=sum(known) if len(known) == len(sizes) else None,
        )

    def _offer(self, features: Sequence[_Feature], problem: AoiProblem, numbers: Sequence[int]) -> Offer:
        """The mend that helps most of the features with this problem."""
        singles = [self.maker.offer(features[number].material, features[number].mends, problem) for number in numbers]
        counted = Counter(offer.kind for offer in singles if offer.kind is not None)
        kind = counted.most_common(1)[0][0] if counted else None
        helped = [offer for offer in singles if offer.kind is kind]
        return Offer(
            _of_features(problem, len(numbers), len(features)),
            kind,
            _total([offer.before_km2 for offer in helped]),
            _total([offer.after_km2 for offer in helped]),
            which=_which(features, numbers),
            count=len(numbers),
        )

    def _size_of(self, feature: _Feature) -> Optional[float]:
        aoi = feature.aoi or (feature.error.aoi if feature.error is not None else None)
        return aoi.area_km2 if aoi is not None else self.maker.size(feature.material, feature.mends)


def _changed(feature: _Feature, mends: Sequence[Mend]) -> bool:
    """Whether a mend other than a division made the feature's area another."""
    return any(mend.kind is not MendKind.DIVIDE for mend in feature.mends) and bool(mends)


def _labelled(names: Sequence[str], parts: Sequence[Sequence[AOI]]) -> Tuple[JobArea, ...]:
    """``north field``, ``south field, part 1 of 2``; numbers through the whole batch where there are no names."""
    full = [
        (f"{name}, part {number} of {len(aois)}" if name and len(aois) > 1 else name, aoi)
        for name, aois in zip(names, parts)
        for number, aoi in enumerate(aois, 1)
    ]
    return tuple(JobArea(label, aoi) for label, (_, aoi) in zip(numbered([name for name, _ in full]), full))


def _of_features(problem: AoiProblem, count: int, total: int) -> AoiProblem:
    """``2 of 3 features: Below the minimum of 0.1 km².``, and the same for the reason line."""
    who, reason = f"{count:,} of {total:,} features", problem.reason
    told = f"{who}: {reason}"
    for one, many in (("it has ", "have "), ("it is ", "are "), ("it crosses ", "cross ")):
        if reason.startswith(one):
            verb = one[len("it ") :] if count == 1 else many
            told = f"{who} {verb}{reason[len(one) :]}"
            break
    if count > 1:
        told = told.replace("cross itself", "cross themselves")
    return AoiProblem(problem.code, f"{who}: {problem.message}", told)


def _which(features: Sequence[_Feature], numbers: Sequence[int]) -> str:
    """``North field, feature 3 and 4 more``; nothing where there is one feature only."""
    if len(features) == 1:
        return ""
    named = [features[number].name or f"feature {number + 1:,}" for number in numbers[:_LISTED]]
    more = len(numbers) - len(named)
    text = ", ".join(named) + (f" and {more:,} more" if more else "")
    return text[:1].upper() + text[1:]


def _total(sizes: Sequence[Optional[float]]) -> Optional[float]:
    known = [size for size in sizes if size is not None]
    return sum(known) if known and len(known) == len(sizes) else None
