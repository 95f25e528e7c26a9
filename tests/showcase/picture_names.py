"""The pictures that ``make pictures`` makes of the dock and its dialogs: their names, and the themes of each."""

from __future__ import annotations

from typing import Mapping, Tuple

#: Folder of the pictures, and QGIS's own name of its theme.
THEMES: Mapping[str, str] = {"light": "default", "dark": "Night Mapping"}

PICTURES: Tuple[str, ...] = (
    "01-new-job",
    "01b-new-job-tested",
    "01c-new-job-changed",
    "01d-new-job-empty",
    "01e-new-job-batch-sandbox",
    "01f-new-job-running",
    "01g-estimation-details",
    "02-new-job-area-problem",
    "02b-new-job-area-too-large",
    "02c-area-mended-on-map",
    "03-new-job-json-error",
    "04-workflow-builder",
    "06-jobs",
    "06b-jobs-menu",
    "06c-jobs-test-query-menu",
    "06d-jobs-downloading",
    "06e-jobs-no-room",
    "07-confirm-live-job",
    "08-options-page",
    "08b-connection-dialog",
    "08c-options-outputs",
    "08d-delete-old-outputs",
    "09b-quicklook-stands-in",
    "09c-styles-menu",
)
