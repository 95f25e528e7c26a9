"""What can be wrong with an area, each with a code for programs and a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional, Tuple

from up42_plugin.api.errors import Up42Error

if TYPE_CHECKING:
    from up42_plugin.core.aoi import AOI

NBSP = "\u00a0"

NOT_A_POLYGON = "not_polygon"
EMPTY = "empty"
NOT_FINITE = "not_finite"
OUT_OF_RANGE = "out_of_range"
ANTIMERIDIAN = "antimeridian"
SELF_CROSSING = "self_crossing"
HOLE_CROSSING = "hole_crossing"
PARTS = "parts"
TOO_FINE = "too_fine"
TOO_SMALL = "too_small"
TOO_LARGE = "too_large"
NO_CRS = "no_crs"
OUTSIDE_CRS = "outside_crs"
TOO_MANY = "too_many"
UNREADABLE = "unreadable"


# How a problem goes on after "Mend the area first:"; what is not here tells of something else than the area.
_ABOUT_IT = {
    PARTS: "it has ",
    TOO_SMALL: "it is ",
    OUT_OF_RANGE: "it is ",
    OUTSIDE_CRS: "it is ",
    ANTIMERIDIAN: "it ",
}
_REASONS = {
    SELF_CROSSING: "it crosses itself.",
    HOLE_CROSSING: "a hole crosses its outline.",
}


@dataclass(frozen=True)
class AoiProblem:
    """One thing that is wrong. ``code`` is one of this module's constants, ``message`` a sentence or two.

    ``told`` is the reason line's wording where it cannot be made from the message.
    """

    code: str
    message: str
    told: str = ""

    @property
    def reason(self) -> str:
        """How the sentence goes on after ``Mend the area first:`` (``it has 2 separate parts.``)."""
        if self.told or self.code in _REASONS:
            return self.told or _REASONS[self.code]
        first, point, _ = self.message.partition(". ")
        sentence = first + (point and ".")
        if sentence[1:2].isupper():
            return sentence
        return _ABOUT_IT.get(self.code, "") + sentence[:1].lower() + sentence[1:]


class AoiError(Up42Error):
    """The area cannot be used. ``problems`` holds everything that is wrong, the gravest first.

    ``aoi`` is the polygon all the same where there is one (an area too small or too large), so that it can be shown.
    """

    def __init__(self, problems: Tuple[AoiProblem, ...], aoi: Optional[AOI] = None, detail: str = "") -> None:
        super().__init__(" ".join(problem.message for problem in problems), detail)
        self.problems = problems
        self.aoi = aoi

    @property
    def code(self) -> str:
        """The code of the gravest problem."""
        return self.problems[0].code

    @property
    def codes(self) -> Tuple[str, ...]:
        """The codes of all problems."""
        return tuple(problem.code for problem in self.problems)


def refuse(code: str, message: str, detail: str = "") -> AoiError:
    """An error of one problem."""
    return AoiError((AoiProblem(code, message),), detail=detail)


def square_km(value: float) -> str:
    """``0.1 km²``: up to six significant digits, without needless zeros, the unit behind a no-break space."""
    text = f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"  # noqa: PLR2004 - from here on %g writes exponents
    return f"{text}{NBSP}km²"


def no_area(kind: str) -> AoiError:
    """Lines, points or a table where polygons are needed; ``kind`` is the plural, capitalised."""
    return refuse(NOT_A_POLYGON, f"{kind} have no area.")


def no_crs() -> AoiError:
    """The layer's coordinates mean nothing without a CRS."""
    return refuse(NO_CRS, "The layer has no CRS.")


def outside_crs(crs: str, detail: str = "") -> AoiError:
    """Coordinates that the CRS (``EPSG:32633``) cannot turn into longitude and latitude."""
    return refuse(OUTSIDE_CRS, f"Partly outside the area of {crs}.", detail)


def too_many(what: str, count: int, limit: int) -> AoiError:
    """More ``what`` (features, vertices) than can be read without making QGIS wait."""
    return refuse(TOO_MANY, f"{count:,} {what} selected, {limit:,} at most.")
