"""A run controller over a staged service, with a real ledger, real jobs and real layers."""

from __future__ import annotations

from datetime import timedelta

from qgis.core import QgsProject

from tests.raster_samples import output_of, superresolution
from tests.staged_provider import StagedProvider
from tests.unit.ledger_kit import PRICE, configuration
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.monitoring import Pace
from up42_plugin.core.storage import OutputFolders
from up42_plugin.core.submission import Pace as WaitPace
from up42_plugin.core.submission import Submitter, Waits
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.monitor import JobMonitor
from up42_plugin.qgis_bridge.recording import JobRecords
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.settling import Settler

WAIT_MS = 20_000
QUICK = Waits(
    slot=WaitPace(0.01, 0.02),
    rate=WaitPace(0.01, 0.02),
    lookup=WaitPace(0.01, 0.02),
    shows_within=timedelta(seconds=0.2),
)


class RunsKit:
    """The controller, and everything it said."""

    def __init__(self, runner, folder, qtbot, log=None):
        self.qtbot, self.folder = qtbot, folder
        self.provider = StagedProvider("one")
        self.providers = {"one": self.provider}
        self.project = QgsProject()
        self.ledger = Ledger(folder / "ledger.sqlite")
        self.records = JobRecords(self.ledger, log) if log is not None else None
        keep = self.records.saw if self.records is not None else None
        self.monitor = JobMonitor(runner, self.providers.get, lambda _id: Pace(0.01, 0.05), keep)
        self.settler = Settler(runner, self.ledger, self._submitter_of, self.providers.get, first_pause_ms=10)
        self.runs = RunController(
            runner=runner,
            monitor=self.monitor,
            submitter_of=self._submitter_of,
            settler=self.settler,
            loader=LayerLoader(self.project),
            provider_of=self.providers.get,
            connection_name=lambda _id: "Coastal study",
            folders=lambda: OutputFolders(folder / "outputs"),
            records=self.records,
        )
        self.history, self.ended, self.recorded, self.loaded, self.trouble, self.earlier = [], [], [], [], [], []
        self.runs.changed.connect(self.history.append)
        self.runs.ended.connect(self.ended.append)
        self.runs.recorded.connect(self.recorded.append)
        self.runs.loaded.connect(lambda run, layers: self.loaded.append((run, layers)))
        self.runs.trouble.connect(lambda run, sentence: self.trouble.append(sentence))
        self.runs.settled_earlier.connect(self.earlier.append)

    def _submitter_of(self, connection_id):
        return Submitter(self.ledger, connection_id, waits=QUICK)

    def stop(self):
        self.monitor.stop()
        self.settler.stop()

    def start(self, mode=Mode.LIVE):
        agreed = PRICE if mode is Mode.LIVE else None
        return self.runs.start(self.provider, configuration(), mode, "Taormina", agreed)

    def run(self, key):
        return self.runs.run_of(key)

    def wait(self, condition):
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    def wait_ended(self, key):
        self.wait(lambda: [run for run in self.ended if run.key == key])
        return self.run(key)

    def on_service(self, mode=Mode.LIVE, word="RUNNING"):
        """A run whose job the service works on."""
        key = self.start(mode)
        self.wait(lambda: self.run(key).job is not None)
        self.provider.set(self.run(key).job.id, word)
        self.wait(lambda: self.run(key).job.word == word)
        return key

    def succeeded(self, mode=Mode.LIVE):
        key = self.on_service(mode, "SUCCEEDED")
        self.wait_ended(key)
        return key

    def put_output(self, key):
        """An output as it lies on disk after its download."""
        run = self.run(key)
        place = OutputFolders(self.folder / "outputs").output_folder(run.name, run.job.id)
        superresolution(place / "a_superresolution.tif")
        output_of(place, "a_superresolution.tif")
        return place

    def phases(self, key):
        seen = []
        for run in self.history:
            if run.key == key and run.phase is not (seen[-1] if seen else None):
                seen.append(run.phase)
        return seen
