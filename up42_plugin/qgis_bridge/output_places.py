"""Where outputs go and where they lie, as settings, project and ledger have it at the moment."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Mapping, Optional, Sequence

from qgis.core import QgsProject

from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.storage import OutputFolders
from up42_plugin.qgis_bridge.settings import PluginSettings

#: The folder beside a project file.
NAME = "UP42"


class OutputPlaces:
    """The outputs folder of the settings, and the one beside the project. Main thread; nothing is read from disk.

    What :meth:`now` gives stays as it is when the person opens another project meanwhile.
    """

    def __init__(self, settings: PluginSettings, ledger: Ledger, project: QgsProject) -> None:
        self._settings, self._project = settings, project
        self.outputs = LedgerOutputs(ledger)

    def now(self) -> OutputFolders:
        """The folders of jobs: new ones go beside a saved project if that is wished, else into the outputs folder.

        Those that are there are found in both.
        """
        general, beside = self._settings.output_folder(), self.beside_project()
        if beside is None:
            return OutputFolders(general, (), self._recorded)
        if self._settings.outputs_beside_project():
            return OutputFolders(beside, (general,), self._recorded, spare=general)
        return OutputFolders(general, (beside,), self._recorded)

    def beside_project(self) -> Optional[Path]:
        """The folder for outputs beside the project's file; None for a project that is in no folder."""
        folder = self._project.absolutePath() if self._project.fileName() else ""
        return Path(folder) / NAME if folder else None

    def _recorded(self, job_ids: Iterable[str]) -> Mapping[str, Sequence[Path]]:
        """For workers. Without the ledger, outputs are found in the folders of now only."""
        try:
            return self.outputs.places(job_ids)
        except LedgerError:
            return {}
