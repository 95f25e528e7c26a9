"""Bands that are moments: newer QGIS shows the one that its temporal controller is at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import List, Sequence, Tuple

from qgis.core import Qgis, QgsDateTimeRange, QgsRasterLayer

from up42_plugin.qgis_bridge.layer_metadata import to_qdatetime


def date_bands(layer: QgsRasterLayer, times: Sequence[datetime]) -> None:
    """Give each band its moment (UTC), which lasts until the next. QGIS before 3.38 cannot: it keeps the whole span."""
    mode = getattr(Qgis.RasterTemporalMode, "FixedRangePerBand", None)
    temporal = layer.temporalProperties()
    if mode is None or len(times) != layer.bandCount() or not hasattr(temporal, "setFixedRangePerBand"):
        return
    temporal.setMode(mode)
    temporal.setFixedRangePerBand(
        {
            band: QgsDateTimeRange(to_qdatetime(start), to_qdatetime(end), True, False)
            for band, (start, end) in enumerate(spans(times), start=1)
        }
    )
    temporal.setIsActive(True)


def spans(times: Sequence[datetime]) -> List[Tuple[datetime, datetime]]:
    """From each moment to the next one; the last lasts as long as the one before it, a single one an hour."""
    last = times[-1] - times[-2] if len(times) > 1 else timedelta(hours=1)
    return list(zip(times, [*times[1:], times[-1] + last]))
