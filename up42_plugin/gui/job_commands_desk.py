"""Carries out what the person wants of jobs in the list, whether this session began them or not."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Sequence

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QApplication

from up42_plugin.core.context import JobContext
from up42_plugin.core.curl import curl_command
from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.job_form import JobForm
from up42_plugin.core.job_recall import recalled_area
from up42_plugin.core.jobs import Job, JobTask, Mode
from up42_plugin.core.run import Run
from up42_plugin.core.storage import OutputFolders
from up42_plugin.gui.clone_desk import CloneDesk
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.folder_opening import FolderOpening
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.gui.job_files import JobFiles
from up42_plugin.gui.job_logs import JobLogs
from up42_plugin.gui.jobs_desk import JobsDesk
from up42_plugin.gui.jobs_on_map import JobsOnMap
from up42_plugin.gui.rerun_desk import RerunDesk
from up42_plugin.gui.support_report import SupportReportDesk
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.job_recalling import JobRecall
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.jobs_reader import JobsReader
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.sending import message_of

Tell = Callable[[str, Qgis.MessageLevel], None]


class JobCommandsDesk(QObject):
    """Listens to the Jobs tab; ``cancel(key)`` cancels a run of this session."""

    def __init__(
        self,
        dock: Up42Dock,
        *,
        desk: JobsDesk,
        reader: JobsReader,
        recall: JobRecall,
        runs: RunController,
        hub: ConnectionHub,
        runner: JobRunner,
        reruns: RerunDesk,
        clones: CloneDesk,
        on_map: JobsOnMap,
        folders: Callable[[], OutputFolders],
        cancel: Callable[[str], None],
        window: Any,
        tell: Tell,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._reader, self._recall, self._runs, self._hub = desk, reader, recall, runs, hub
        self._runner, self._reruns, self._clones, self._on_map = runner, reruns, clones, on_map
        self._cancel, self._tell = cancel, tell
        self.logs = JobLogs(runner, window, self)
        self.logs.trouble.connect(self._warn)
        self.report = SupportReportDesk(hub, window, self)
        self.folder = FolderOpening(runner, folders, self)
        self.folder.trouble.connect(self._warn)
        self.files = JobFiles(runner, folders, reader.outputs, self)
        self.files.trouble.connect(self._warn)
        self.files.deleted.connect(desk.read_disk)
        tab = dock.jobs
        tab.command_asked.connect(self.do)
        tab.task_asked.connect(self._load_task)
        tab.rename_asked.connect(self._rename)
        tab.logs_asked.connect(self._show_logs)
        self._doing: Dict[JobCommand, Callable[[JobEntry], None]] = {
            JobCommand.LOAD_OUTPUT: lambda entry: self._with_run(entry, self._load),
            JobCommand.RESUME: lambda entry: self._with_run(entry, self._load),
            JobCommand.PAUSE: lambda entry: self._with_run(entry, lambda run: self._runs.pause(run.key)),
            JobCommand.STOP_LOADING: lambda entry: self._with_run(entry, self._stop),
            JobCommand.SHOW_SCENES: lambda entry: self._with_run(entry, self._show_scenes),
            JobCommand.QUICKLOOKS: lambda entry: self._with_run(entry, self._show_quicklooks),
            JobCommand.ZOOM: lambda entry: self._with_run(entry, self._zoom),
            JobCommand.SUBMIT_AGAIN: self._submit_again,
            JobCommand.FORGET: lambda entry: self._desk.forget(entry.key),
            JobCommand.CLONE: lambda entry: self._with_run(entry, self._clones.clone),
            JobCommand.RERUN_LIVE: lambda entry: self._with_run(entry, self._rerun_live),
            JobCommand.RUN_LIVE: lambda entry: self._with_run(entry, self._rerun_live),
            JobCommand.TEST_AGAIN: lambda entry: self._with_run(entry, self._test_again),
            JobCommand.COPY_JSON: lambda entry: self._with_run(entry, self._copy_json),
            JobCommand.COPY_CURL: lambda entry: self._with_run(entry, self._copy_curl),
            JobCommand.OPEN_FOLDER: lambda entry: self.folder.open(entry.name, entry.job_id),
            JobCommand.SUPPORT_REPORT: lambda entry: self._with_run(entry, self._report_of(entry)),
            JobCommand.CANCEL: lambda entry: self._with_run(entry, self._stop),
        }

    def close(self) -> None:
        """Close what is open."""
        self.logs.close()
        self.report.close()

    def do(self, command: JobCommand, keys: Sequence[str]) -> None:
        """Do it for these jobs."""
        entries = [self._desk.list.entry(key) for key in keys]
        if command is JobCommand.COPY_ID:
            QApplication.clipboard().setText("\n".join(entry.job_id for entry in entries))
        elif command is JobCommand.DELETE_FILES:
            self.files.delete(entries)
        else:
            for entry in entries:
                self._doing[command](entry)

    def _with_run(self, entry: JobEntry, act: Callable[[Run], None]) -> None:
        def failed(why: str) -> None:
            self._warn(f"{entry.name}: {why}")

        self._recall.recall(entry, act, failed)

    def _warn(self, text: str) -> None:
        self._tell(text, Qgis.MessageLevel.Warning)

    def _connected(self, run: Run) -> bool:
        if self._hub.provider_of(run.connection_id) is not None:
            return True
        self._warn(f"Not connected to {self._hub.name_of(run.connection_id)}.")
        return False

    def _stop(self, run: Run) -> None:
        if any(known.key == run.key for known in self._runs.all()):
            self._cancel(run.key)
        else:  # of an earlier session, and nobody knows yet whether the service has it
            self._warn(f"{run.name} cannot be cancelled before it is known whether it was sent.")

    # -- on the map

    def _load(self, run: Run, task: Optional[JobTask] = None) -> None:
        if self._connected(run):
            self._runs.load(run.key, task)

    def _load_task(self, key: str, task_id: str) -> None:
        entry = self._desk.list.entry(key)
        found = next((task for task in entry.tasks or () if task.id == task_id), None)
        if found is not None:
            task = JobTask(found.id, found.name, found.state, found.word)
            self._with_run(entry, lambda run: self._load(run, task))

    def _show_scenes(self, run: Run) -> None:
        if not self._on_map.show_scenes(run) and self._connected(run):
            self._on_map.want_scenes(run)
            self._runs.read_scenes(run.key)

    def _show_quicklooks(self, run: Run) -> None:
        if not self._connected(run):
            return
        if run.live:
            self._runs.show_quicklooks(run.key)
        elif not self._on_map.show_group(run):
            self._runs.read_scenes(run.key)

    def _zoom(self, run: Run) -> None:
        area = recalled_area(run.configuration)
        if area is None or not self._on_map.zoom(area):
            self._warn(f"The area of {run.name} cannot be shown on this map.")

    # -- again

    def _rerun_live(self, run: Run) -> None:
        self._reruns.ask(run.connection_id, run.name, run.configuration)

    def _test_again(self, run: Run) -> None:
        self._reruns.test(run.connection_id, run.name, run.configuration)

    def _submit_again(self, entry: JobEntry) -> None:
        """The service does not know it, so this is a new submission: free, or confirmed with its price once more."""

        def again(run: Run) -> None:
            self.submit_run_again(run, lambda: self._desk.forget(entry.key))

        self._with_run(entry, again)

    def submit_run_again(self, run: Run, recorded: Callable[[], None]) -> None:
        """The same of a run; ``recorded`` when the new submission is in the ledger."""
        begin = self._reruns.ask if run.live else self._reruns.test
        begin(run.connection_id, run.name, run.configuration, recorded)

    def show_job(self, run: Run) -> None:
        """Bring a run's job before the person's eyes."""
        if run.job is not None:
            self._desk.show_job(run.connection_id, run.job.id)

    def forget_run(self, key: str) -> None:
        """Show a run that the service never got no longer."""
        entry = self._desk.list.entry_of_run(self._runs.run_of(key).connection_id, key)
        if entry is not None:
            self._desk.forget(entry.key)

    # -- about it

    def show_logs_of(self, run: Run) -> None:
        """Show the logs of a run's job, at the block that failed."""
        if run.job is not None:
            self._open_logs(run.name, run.connection_id, run.job.id)

    def _show_logs(self, key: str, task_id: str) -> None:
        entry = self._desk.list.entry(key)
        self._open_logs(entry.name, entry.connection_id, entry.job_id, task_id)

    def _open_logs(self, name: str, connection_id: str, job_id: str, task_id: str = "") -> None:
        provider = self._hub.provider_of(connection_id)
        if provider is None:
            self._warn(f"Not connected to {self._hub.name_of(connection_id)}.")
            return
        self.logs.show(name, job_id, provider, task_id, self._desk.titles)

    def _copy_json(self, run: Run) -> None:
        form = JobForm(run.configuration.workflow).with_body(_body(run), None)
        QApplication.clipboard().setText(form.text(None))

    def _copy_curl(self, run: Run) -> None:
        provider = self._hub.provider_of(run.connection_id)
        if provider is None:
            self._connected(run)
            return
        url = provider.submission_url(run.configuration.workflow.id)
        QApplication.clipboard().setText(curl_command(url, run.configuration.inputs(run.mode)))

    def _report_of(self, entry: JobEntry) -> Callable[[Run], None]:
        return lambda run: self.report.show(self._desk.list.entry(entry.key), run)

    def _rename(self, key: str, name: str) -> None:
        entry = self._desk.list.entry(key)
        provider = self._hub.provider_of(entry.connection_id)
        if provider is None:
            self._warn(f"Not connected to {self._hub.name_of(entry.connection_id)}.")
            return

        def work(context: JobContext) -> Job:
            with provider.open(context) as service:
                return service.rename(service.job(entry.job_id), name)

        def renamed(job: Job) -> None:
            run = self._runs.find(entry.connection_id, entry.job_id)
            if run is not None:
                self._runs.rename(run.key, name)
            if entry.record_id:
                self._reader.rename(entry.record_id, name)
            self._desk.put_jobs(entry.connection_id, [job])

        job = self._runner.start(f"UP42: renaming {entry.name}", work, long_running=True, hidden=True)
        job.succeeded.connect(renamed)
        job.failed.connect(lambda error: self._warn(f"{entry.name} was not renamed. {message_of(error)}"))


def _body(run: Run) -> Dict[str, Any]:
    body = run.configuration.inputs(Mode.LIVE)
    body.pop("config", None)
    return body
