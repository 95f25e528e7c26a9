"""GDAL called so that errors arrive as exceptions of ours, whatever mode the process has GDAL in.

The switch between GDAL's two ways of reporting errors is global, and other plugins share the process: it is left alone.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, TypeVar, Union

from osgeo import gdal

from up42_plugin.core.context import JobContext
from up42_plugin.core.output_errors import OutputError

T = TypeVar("T")


class RasterError(OutputError):
    """A file that GDAL cannot read or write; the text names it."""


@contextlib.contextmanager
def quiet_gdal() -> Iterator[None]:
    """No error text of GDAL on the console of this thread."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        yield
    finally:
        gdal.PopErrorHandler()


def gdal_call(function: Callable[..., Optional[T]], *arguments: Any, what: str, **options: Any) -> T:
    """Call a GDAL function that gives None on failure; raises :class:`RasterError` with ``what`` and GDAL's reason."""
    with quiet_gdal():
        gdal.ErrorReset()
        try:
            result = function(*arguments, **options)
        except RuntimeError as error:
            raise RasterError(f"{what} could not be read.", str(error)) from error
        if result is None:
            raise RasterError(f"{what} could not be read.", gdal.GetLastErrorMsg())
        return result


@contextlib.contextmanager
def writing(what: str) -> Iterator[None]:
    """For what writes a file: what GDAL only tells of meanwhile, a full disk above all, is a :class:`RasterError`."""
    failures: List[str] = []

    def note(kind: int, _number: int, text: str) -> None:
        if kind >= gdal.CE_Failure:
            failures.append(text)

    gdal.PushErrorHandler(note)
    try:
        yield
    except RuntimeError as error:
        failures.append(str(error))
    finally:
        gdal.PopErrorHandler()
    if failures:
        raise RasterError(f"{what} could not be written.", failures[0])


def open_raster(source: Union[str, Path], *, update: bool = False) -> Any:
    """Open a raster: a path or a subdataset's name. Raises :class:`RasterError`."""
    flags = gdal.OF_RASTER | (gdal.OF_UPDATE if update else gdal.OF_READONLY)
    return gdal_call(gdal.OpenEx, str(source), flags, what=name_of(source))


def name_of(source: Union[str, Path]) -> str:
    """The file's name for a message."""
    return Path(str(source)).name


@contextlib.contextmanager
def gdal_progress(context: JobContext, text: str) -> Iterator[Any]:
    """A progress function for GDAL that reports to the context and stops GDAL on cancellation.

    An exception cannot pass through GDAL: it is kept, and raised when GDAL has returned.
    """
    stopped: List[BaseException] = []

    def progress(done: float, _message: str, _data: Any) -> int:
        try:
            context.progress(100.0 * done, text)
        except BaseException as error:  # raised again below
            stopped.append(error)
            return 0
        return 1

    try:
        yield progress
    except RasterError:
        if stopped:
            raise stopped[0] from None
        raise
    if stopped:
        raise stopped[0]
