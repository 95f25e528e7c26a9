"""Data from storage: opens the list of assets, and puts what was chosen there into the form."""

from __future__ import annotations

from typing import Callable, Dict, Optional, Tuple

from qgis.core import QgsProject
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QDialog, QWidget

from up42_plugin.core.context import JobContext
from up42_plugin.core.parameters import ASSET_IDS
from up42_plugin.core.service import ServiceProvider, StorageAsset
from up42_plugin.gui.asset_picker import AssetPicker, ids_of
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.footprints_outline import FootprintsOutline
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.stored_assets_editor import StoredAssetsEditor
from up42_plugin.qgis_bridge.jobs import Job, JobRunner

_NO_CONNECTION = "Choose a connection first."
_NOT_LISTED = "This service does not list the data in storage."
_FAILED = "What is in storage could not be read."


class StorageDesk(QObject):
    """Asks for assets when the person wants to choose some; their footprints are on the map while they are chosen."""

    def __init__(
        self,
        dock: Up42Dock,
        *,
        new_job: NewJob,
        provider: Callable[[], Optional[ServiceProvider]],
        runner: JobRunner,
        canvas: QgsMapCanvas,
        window: QWidget,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._dock, self._new_job, self._provider = dock, new_job, provider
        self._runner, self._window = runner, window
        self.footprints = FootprintsOutline(canvas, QgsProject.instance(), self)
        self._known: Dict[str, StorageAsset] = {}
        self._drawn: Tuple[str, ...] = ()
        self.dialog: Optional[AssetPicker] = None
        self._reading: Optional[Job] = None
        dock.parameters.assets_asked.connect(self.choose)
        dock.opened.connect(self._show_chosen)
        dock.closed.connect(self._show_chosen)
        new_job.changed.connect(self._form_changed)

    def close(self) -> None:
        """Close the list, as with Cancel, and take the footprints off the map."""
        if self.dialog is not None:
            self.dialog.reject()
        self.footprints.close()

    def choose(self, task: str) -> None:
        """Open the list of what is in storage for a data block."""
        form, provider = self._new_job.details.form, self._provider()
        if self.dialog is not None:
            self.dialog.raise_()
            return
        if form is None or provider is None:
            return
        dialog = self.dialog = AssetPicker(form.workflow.data_step.block, form.asset_ids, self._window)
        dialog.selected.connect(lambda assets: self.footprints.show([asset.footprint for asset in assets]))
        dialog.again_asked.connect(lambda: self._read(provider, dialog))
        dialog.finished.connect(lambda result: self._closed(task, result))
        self._read(provider, dialog)
        dialog.open()

    def _read(self, provider: ServiceProvider, dialog: AssetPicker) -> None:
        dialog.show_loading()

        def work(context: JobContext) -> Tuple[StorageAsset, ...]:
            with provider.open(context) as service:
                return service.storage_assets()

        job = self._reading = self._runner.start("UP42: reading the storage", work, long_running=True, hidden=True)

        def read(assets: Tuple[StorageAsset, ...]) -> None:
            if dialog is self.dialog:
                self._known.update((asset.id, asset) for asset in assets)
                dialog.show_assets(assets)

        def failed(message: str) -> None:
            if dialog is self.dialog:
                dialog.show_failure(message)

        job.succeeded.connect(read)
        job.failed.connect(lambda error: failed(getattr(error, "user_message", _FAILED)))
        job.cancelled.connect(lambda: failed(_FAILED))  # in the task manager: closing the list comes first else

    def _closed(self, task: str, result: int) -> None:
        dialog, self.dialog = self.dialog, None
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
        editor = self._editor()
        if dialog is not None:
            accepted = result == int(QDialog.DialogCode.Accepted)
            if accepted and editor is not None and self._dock.parameters.forms[0].task == task:
                editor.choose(ids_of(dialog.chosen))
            dialog.deleteLater()
        self._drawn = ()
        self._show_chosen()

    def _editor(self) -> Optional[StoredAssetsEditor]:
        """The field of the data block's assets, where it has one."""
        forms = self._dock.parameters.forms
        editor = forms[0].editors.get(ASSET_IDS) if forms else None
        return editor if isinstance(editor, StoredAssetsEditor) else None

    def _form_changed(self) -> None:
        editor = self._editor()
        if editor is not None:
            editor.set_usable(self._why_not())
        self._show_chosen()

    def _why_not(self) -> str:
        provider = self._provider()
        if provider is None:
            return _NO_CONNECTION
        return "" if provider.capabilities.storage_assets else _NOT_LISTED

    def _show_chosen(self, *_: object) -> None:
        """The footprints of what the form holds, while the dock is open; those of the list while that is."""
        if self.dialog is not None:
            return
        ids = self._new_job.stored if self._dock.isUserVisible() else ()
        if ids != self._drawn:
            self._drawn = ids
            self.footprints.show([self._known[one].footprint for one in ids if one in self._known])
