"""Reflectance of the materials that the made-up Earth consists of, and the bands in which it is seen."""

from __future__ import annotations

from typing import Dict, Tuple

import numpy as np

from up42_plugin.sandbox.world.lattice import Array, F

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12", "PAN")
"""Sentinel-2's bands and a panchromatic one (480 to 830 nm)."""

# Thousandths, in the order of BANDS without the last.
_THOUSANDTHS = {
    "leaf": (27, 36, 88, 46, 124, 335, 432, 462, 482, 472, 2, 218, 102),
    "broad": (20, 26, 62, 33, 88, 245, 310, 330, 345, 340, 1, 160, 70),
    "conifer": (18, 22, 44, 29, 59, 165, 215, 235, 245, 240, 1, 105, 46),
    "grass": (34, 46, 104, 66, 138, 272, 322, 347, 367, 357, 2, 252, 142),
    "dry": (82, 104, 154, 194, 226, 248, 262, 276, 293, 295, 2, 365, 275),
    "scrub": (35, 44, 80, 70, 104, 180, 208, 228, 243, 238, 2, 205, 124),
    "soil": (80, 104, 150, 188, 210, 221, 230, 240, 249, 252, 3, 326, 290),
    "red": (54, 70, 108, 164, 188, 198, 206, 216, 226, 230, 3, 305, 274),
    "loam": (46, 60, 90, 114, 127, 134, 141, 149, 157, 159, 2, 220, 195),
    "rock": (118, 136, 163, 188, 206, 212, 217, 222, 228, 232, 3, 270, 245),
    "basalt": (40, 47, 55, 62, 67, 71, 75, 79, 83, 84, 1, 100, 92),
    "sand": (180, 220, 272, 312, 335, 350, 362, 374, 386, 388, 4, 435, 395),
    "tile": (66, 80, 112, 176, 204, 218, 230, 242, 252, 255, 3, 300, 280),
    "bright": (245, 275, 305, 328, 336, 343, 350, 356, 361, 363, 4, 365, 342),
    "grey": (88, 106, 138, 156, 162, 168, 174, 180, 185, 187, 3, 205, 192),
    "asphalt": (84, 100, 119, 131, 137, 142, 147, 152, 156, 158, 3, 182, 172),
    "deep": (52, 47, 36, 16, 13, 12, 11, 11, 11, 9, 1, 6, 4),
    "shallow": (80, 98, 112, 52, 36, 25, 23, 21, 20, 17, 1, 10, 7),
    "river": (50, 60, 78, 60, 46, 31, 29, 27, 26, 20, 1, 14, 10),
    "foam": (330, 340, 345, 335, 320, 300, 290, 280, 275, 250, 4, 120, 80),
    "snow": (900, 910, 900, 890, 880, 870, 855, 840, 820, 700, 10, 120, 90),
    "cloud": (740, 730, 720, 715, 715, 720, 720, 720, 715, 560, 60, 520, 420),
}
# The panchromatic band as a mixture of B02 to B07, which it covers.
_PAN = np.array((0.18, 0.25, 0.25, 0.14, 0.09, 0.09), F)


def _spectrum(thousandths: Tuple[int, ...]) -> Array:
    bands = np.array(thousandths, F) / F(1000)
    return np.append(bands, bands[1:7] @ _PAN).astype(F)


SPECTRA: Dict[str, Array] = {name: _spectrum(values) for name, values in _THOUSANDTHS.items()}
