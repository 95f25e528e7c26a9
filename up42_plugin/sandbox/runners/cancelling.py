"""GDAL's long work that can be cancelled: its progress callback asks whether the job is to go on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Iterator, Optional

from up42_plugin.sandbox.runners import rasters
from up42_plugin.sandbox.runners.contract import RunnerError


class Watch:
    """A progress callback for GDAL. What ``check`` raises stops GDAL; exceptions cannot pass through it themselves."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self.error: Optional[Exception] = None

    def __call__(self, _share: float, _message: object, _data: object) -> int:
        """1: go on, 0: stop."""
        try:
            self._check()
        except Exception as error:
            self.error = error
            return 0
        return 1


@contextmanager
def watched(check: Callable[[], None], code: str, what: str) -> Iterator[Watch]:
    """Run a call of GDAL with the callback given; raises what ``check`` raised, or ``RunnerError(code, what…)``."""
    watch = Watch(check)
    try:
        with rasters.gdal_errors(code, what):
            yield watch
    except RunnerError:
        if watch.error is not None:
            raise watch.error from None
        raise
    if watch.error is not None:
        raise watch.error
