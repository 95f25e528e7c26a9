"""Block ``kmeans-clustering``: pixels sorted by their values into classes that nobody has to name before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from up42_plugin.sandbox.runners import pixels
from up42_plugin.sandbox.runners.checked import whole_number
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.derived import class_rasters
from up42_plugin.sandbox.runners.derived.class_rasters import Classes, Strips
from up42_plugin.sandbox.runners.errors import WRONG_INPUT_ERROR

NODATA = 255
_SEED = 20200831
_MOST_CLASSES, _MOST_ITERATIONS, _MOST_SIEVED = 254, 1000, 1_000_000
_TRIES = 8
_FIT_PIXELS = 40_000


def run(task: Task) -> Usage:
    """``<stem>_kmeans.tif`` per image: uint8 0…n-1 from the darkest class to the brightest, nodata 255."""
    count = whole_number(task.parameters, "n_clusters", 2, _MOST_CLASSES)
    iterations = whole_number(task.parameters, "n_iterations", 1, _MOST_ITERATIONS)
    sieve = whole_number(task.parameters, "n_sieve_pixels", 0, _MOST_SIEVED)

    def classify(dataset: Any, path: Path) -> Classes:
        numbers = pixels.value_bands(dataset)
        known = pixels.sample(dataset, numbers)
        if not len(known):
            raise RunnerError(WRONG_INPUT_ERROR, f"{path.name} has no pixel with data")
        centres = cluster_centres(known, count, iterations)
        task.log("INFO", f"{len(centres)} clusters in {len(numbers)} bands after at most {iterations} iterations")
        return Classes(_strips(task, dataset, centres), NODATA, sieve)

    return class_rasters.run(task, classify, lambda _source, path: f"{path.stem}_kmeans.tif")


def _strips(task: Task, dataset: Any, centres: np.ndarray) -> Strips:
    for row, _, values, known in pixels.strips(task, dataset, pixels.value_bands(dataset)):
        flat = values.reshape(len(values), -1).T
        classes = nearest(np.where(known.reshape(-1, 1), flat, 0), centres).reshape(known.shape)
        yield row, np.where(known, classes, NODATA).astype(np.uint8)


def nearest(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The number of the centre (n x bands) nearest to each pixel (pixels x bands)."""
    middle = centres.mean(axis=0)
    moved = (centres - middle).astype(np.float32)
    scores = (values - middle.astype(np.float32)) @ (-2 * moved.T) + (moved**2).sum(axis=1)
    return np.asarray(scores.argmin(axis=1))


def cluster_centres(values: np.ndarray, count: int, iterations: int) -> np.ndarray:
    """Centres by Lloyd's algorithm from well spread first ones (k-means++), darkest first; the same at every run."""
    random = np.random.Generator(np.random.PCG64(_SEED))
    some = values[:: max(1, len(values) // _FIT_PIXELS)].astype(np.float64)
    centres = _spread(some, count, random)
    for _ in range(iterations):
        owner = nearest(some.astype(np.float32), centres)
        sums = np.stack([np.bincount(owner, some[:, band], len(centres)) for band in range(some.shape[1])], axis=1)
        sizes = np.bincount(owner, minlength=len(centres))
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
        if np.allclose(moved, centres, rtol=0, atol=1e-6):
            break
        centres = moved
    return centres[np.argsort(centres.sum(axis=1), kind="stable")]


def _spread(values: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """First centres: each the best of some pixels drawn by their squared distance to those there are."""
    centres = [values[random.integers(len(values))]]
    away = ((values - centres[0]) ** 2).sum(axis=1)
    while len(centres) < count and away.any():
        drawn = random.choice(len(values), _TRIES, p=away / away.sum())
        left = [np.minimum(away, ((values - values[k]) ** 2).sum(axis=1)) for k in drawn]
        best = int(np.argmin([part.sum() for part in left]))
        centres.append(values[drawn[best]])
        away = left[best]
    return np.stack(centres)
