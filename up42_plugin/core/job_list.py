"""One list out of what the ledger, this session's runs and the service's own list know of jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Dict, Iterable, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.job_entry import JobEntry, OnDisk, TaskEntry
from up42_plugin.core.job_records import JobRecord, area_of_inputs, job_of, record_of, record_of_entry, service_id
from up42_plugin.core.job_search import newest_first
from up42_plugin.core.jobs import Job, JobCredits, JobState, JobTask, Mode
from up42_plugin.core.kept_parts import JobsOnDisk
from up42_plugin.core.ledger import RecordedJob
from up42_plugin.core.ledger_life import LedgerEntry
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.tags import split_name

GONE = "The service no longer knows this job."


class _Known:
    """Everything that is known of one job, by who told it."""

    def __init__(self, key: str, connection_id: str) -> None:
        self.key, self.connection_id = key, connection_id
        self.record: Optional[JobRecord] = None
        self.run: Optional[Run] = None
        self.job: Optional[Job] = None
        self.job_id = ""
        self.area_km2: Optional[float] = None
        self.tasks: Optional[Tuple[JobTask, ...]] = None
        self.credits: Optional[JobCredits] = None
        self.scenes: Optional[int] = None
        self.reason = self.tasks_trouble = ""
        self.on_disk = OnDisk.UNKNOWN
        self.kept: Optional[float] = None
        self.queue_position: Optional[int] = None
        self.entry: Optional[JobEntry] = None
        self.stale = True
        self.usage = ""

    def told(self, job: Job) -> None:
        """The service told of the job; what comes late does not make one that has ended begin again."""
        if self.job is None or job.state.terminal or not self.job.state.terminal:
            self.job = replace(job, inputs={})

    def take(self, other: _Known) -> None:
        """Both turned out to be one job: know what the other knows."""
        for name in ("record", "run", "job", "area_km2", "tasks", "credits", "scenes", "queue_position", "kept"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(other, name))
        self.job_id, self.reason = self.job_id or other.job_id, self.reason or other.reason
        if self.on_disk is OnDisk.UNKNOWN:
            self.on_disk = other.on_disk
        self.usage = self.usage or other.usage
        self.stale = True


class JobList:
    """Knows the jobs of all connections; a job is one entry, however many tell of it. Main thread only.

    Jobs are keyed by connection and the service's job id; before the service has one, by the run or the ledger's id.
    ``block_titles`` give people's names for blocks, by the block's name.
    """

    def __init__(self, block_titles: Optional[Mapping[str, str]] = None) -> None:
        self._titles: Mapping[str, str] = block_titles or {}
        self._known: Dict[str, _Known] = {}
        self._places: Dict[Tuple[str, str, str], str] = {}

    def entries(self, connection_id: str) -> Tuple[JobEntry, ...]:
        """The connection's jobs, newest first. An entry that did not change is the same object as before."""
        found = [
            _entry_of(known, self._titles) for known in self._known.values() if known.connection_id == connection_id
        ]
        return tuple(newest_first(found))

    def entry(self, key: str) -> JobEntry:
        """One entry as it is now; raises ``KeyError`` for an unknown one."""
        return _entry_of(self._known[key], self._titles)

    def find(self, connection_id: str, job_id: str) -> Optional[JobEntry]:
        """The entry of a job of the service."""
        key = self._places.get(("job", connection_id, job_id))
        return None if key is None else self.entry(key)

    def entry_of_run(self, connection_id: str, run_key: str) -> Optional[JobEntry]:
        """The entry of a run of this session."""
        key = self._places.get(("run", connection_id, run_key))
        return None if key is None else self.entry(key)

    def running(self, connection_id: str) -> Tuple[str, ...]:
        """The service's ids of jobs that have not ended as far as we know: those worth asking for."""
        entries = self.entries(connection_id)
        return tuple(entry.job_id for entry in entries if entry.job_id and (entry.running or entry.state is None))

    @property
    def block_titles(self) -> Mapping[str, str]:
        """The blocks' titles by their names."""
        return self._titles

    def set_block_titles(self, titles: Mapping[str, str]) -> None:
        """The blocks' titles, once the catalogue was read."""
        self._titles = dict(titles)
        for known in self._known.values():
            known.stale = True

    def put_records(self, records: Iterable[RecordedJob]) -> None:
        """What the ledger holds."""
        for record in records:
            known = self._place(record.connection_id, job_id=service_id(record), record_id=record.id)
            known.record = record_of(record)

    def put_ledger(self, entries: Iterable[LedgerEntry], runs: Mapping[int, str]) -> None:
        """What the ledger holds, and how it saw the jobs last; ``runs`` are this session's, by their submission."""
        for entry in entries:
            submission = entry.submission
            run_key = runs.get(submission.id, "")
            known = self._place(
                entry.connection_id, job_id=submission.service_job_id, record_id=entry.id, run_key=run_key
            )
            known.record = record_of_entry(entry)
            job = job_of(entry)
            if job is not None and known.job is None:
                known.told(job)
            if known.scenes is None:
                known.scenes = submission.scenes

    def put_jobs(self, connection_id: str, jobs: Iterable[Job]) -> None:
        """What the service lists, ours and others'."""
        for job in jobs:
            known = self._place(connection_id, job_id=job.id)
            if known.area_km2 is None:
                known.area_km2 = area_of_inputs(job.inputs)
            known.told(job)

    def put_run(self, run: Run, record_id: str = "") -> None:
        """How a run of this session stands; ``record_id`` is the ledger's id of its job, once that is known."""
        job_id = run.job.id if run.job is not None else ""
        known = self._place(run.connection_id, job_id=job_id, record_id=record_id, run_key=run.key)
        if run.job is not None and (known.run is None or known.run.job is not run.job):
            known.told(run.job)
        known.run = run
        if run.tasks:
            known.tasks = run.tasks

    def put_tasks(self, connection_id: str, job_id: str, tasks: Tuple[JobTask, ...]) -> None:
        """A job's tasks, in chain order."""
        known = self._place(connection_id, job_id=job_id)
        known.tasks, known.tasks_trouble = tasks, ""

    def put_tasks_trouble(self, connection_id: str, job_id: str, why: str) -> None:
        """Why a job's tasks could not be read."""
        self._place(connection_id, job_id=job_id).tasks_trouble = why

    def put_credits(self, connection_id: str, job_id: str, used: JobCredits) -> None:
        """What a job was charged."""
        self._place(connection_id, job_id=job_id).credits = used

    def put_reason(self, connection_id: str, job_id: str, reason: str) -> None:
        """Why a job failed, in few words."""
        self._place(connection_id, job_id=job_id).reason = reason

    def put_scenes(self, connection_id: str, job_id: str, number: int) -> None:
        """How many scenes a test query found."""
        self._place(connection_id, job_id=job_id).scenes = number

    def put_disk(self, connection_id: str, found: JobsOnDisk, looked_for: Iterable[str]) -> None:
        """What the outputs folder has of these jobs."""
        for job_id in looked_for:
            self.put_on_disk(connection_id, job_id, job_id in found.there, found.kept.get(job_id))

    def put_on_disk(self, connection_id: str, job_id: str, there: bool, kept: Optional[float] = None) -> None:
        """Whether something of a job is in the outputs folder; ``kept`` percent of its output where not all of it is.

        ``kept`` is None when nothing is kept of a download, negative when it is not known how much.
        """
        on_disk = OnDisk.SOMETHING if there else OnDisk.NOTHING
        known = self._known.get(self._places.get(("job", connection_id, job_id), ""))
        if known is None or (known.on_disk, known.kept) != (on_disk, kept):  # else nothing has to be made anew
            known = self._place(connection_id, job_id=job_id)
            known.on_disk, known.kept = on_disk, kept

    def put_usage(self, connection_id: str, job_id: str, usage: str) -> None:
        """What a job's output on disk tells of what it used."""
        self._place(connection_id, job_id=job_id).usage = usage

    def put_queue(self, connection_id: str, waiting: Sequence[str]) -> None:
        """The runs (by key) or jobs (by the ledger's id) that wait here for a slot, the next one first."""
        positions: Dict[str, int] = {}
        for number, name in enumerate(waiting, start=1):
            for kind in ("run", "record"):
                key = self._places.get((kind, connection_id, name))
                if key is not None:
                    positions[key] = number
        for key, known in self._known.items():
            position = positions.get(key)
            if known.connection_id == connection_id and position != known.queue_position:
                known.queue_position, known.stale = position, True

    def mark_gone(self, connection_id: str, job_id: str) -> None:
        """The service was asked for a job and does not know it any more."""
        self._place(connection_id, job_id=job_id).reason = GONE

    def forget(self, key: str) -> None:
        """Take one out of the list."""
        self._known.pop(key, None)
        self._places = {place: owner for place, owner in self._places.items() if owner != key}

    def _place(self, connection_id: str, *, job_id: str = "", record_id: str = "", run_key: str = "") -> _Known:
        """The one that is meant, new where nobody told of it before; its entry is made anew when it is asked for."""
        names = (("job", job_id), ("record", record_id), ("run", run_key))
        places = [(kind, connection_id, name) for kind, name in names if name]
        keys = list(dict.fromkeys(self._places[place] for place in places if place in self._places))
        key = keys[0] if keys else "/".join(places[0])
        known = self._known.setdefault(key, _Known(key, connection_id))
        for other in keys[1:]:
            known.take(self._known.pop(other))
            self._places = {place: key if owner == other else owner for place, owner in self._places.items()}
        self._places.update(dict.fromkeys(places, key))
        known.job_id = known.job_id or job_id
        known.stale = True
        return known


def _entry_of(known: _Known, titles: Mapping[str, str]) -> JobEntry:
    if known.entry is None or known.stale:
        entry = _Merging(known, titles).entry()
        known.stale = False
        if known.entry is None or entry != known.entry:
            known.entry = entry
    return known.entry


class _Merging:
    """Who is believed: of a job's state the service, of its price the ledger."""

    def __init__(self, known: _Known, titles: Mapping[str, str]) -> None:
        self._known, self._titles = known, titles
        self._job = known.job

    def entry(self) -> JobEntry:
        known, job = self._known, self._job
        run, record = known.run, known.record
        told = run or record
        name = split_name(job.name)[0] if job is not None else ""
        workflow = run.configuration.workflow if run is not None else None
        aoi = run.configuration.aoi if run is not None else None
        return JobEntry(
            key=known.key,
            connection_id=known.connection_id,
            name=name or (told.name if told is not None else ""),
            mode=told.mode if told is not None else job.mode if job is not None else Mode.LIVE,
            created=told.created if told is not None else job.created if job is not None else _LONG_AGO,
            phase=self._phase(),
            state=job.state if job is not None else None,
            word=job.word if job is not None else "",
            started=job.started if job is not None else None,
            finished=job.finished if job is not None else None,
            job_id=known.job_id,
            run_key=run.key if run is not None else "",
            record_id=record.id if record is not None else "",
            workflow=next(filter(None, self._workflow_names()), ""),
            workflow_id=workflow.id if workflow else record.workflow_id if record else job.workflow_id if job else "",
            area_km2=aoi.area_km2 if aoi is not None else record.area_km2 if record is not None else known.area_km2,
            message=self._message(),
            trouble=run.trouble if run is not None else "",
            percent=self._percent(),
            unwanted=run is not None and run.unwanted,
            tasks=self._tasks(),
            tasks_trouble=known.tasks_trouble,
            scenes=self._scenes(),
            estimated=record.agreed if record is not None else None,
            charged=self._charged(),
            layers=run.layers if run is not None else 0,
            on_disk=known.on_disk,
            queue_position=known.queue_position,
            usage=known.usage,
            while_closed=run is not None and run.ended_while_closed,
        )

    def _workflow_names(self) -> Iterable[str]:
        known = self._known
        yield known.run.configuration.workflow.name if known.run is not None else ""
        yield known.record.workflow if known.record is not None else ""
        yield self._job.workflow_name if self._job is not None else ""

    def _phase(self) -> Phase:
        """Once the service has the job, the ledger's earlier doubts are over."""
        run = self._known.run
        if self._kept is not None and (run is None or run.phase is Phase.ON_SERVICE):
            return Phase.PAUSED
        if run is not None:
            return run.phase
        if self._job is not None or self._known.record is None:
            return Phase.ON_SERVICE
        return self._known.record.phase

    @property
    def _kept(self) -> Optional[float]:
        """How much has come of the output, where its download stopped."""
        known = self._known
        return known.kept if known.job is not None and known.job.state is JobState.SUCCEEDED else None

    def _percent(self) -> float:
        run, kept = self._known.run, self._kept
        if run is not None and run.phase is not Phase.ON_SERVICE and (run.percent >= 0 or not run.paused):
            return run.percent
        return kept if kept is not None else -1.0

    def _message(self) -> str:
        run, record = self._known.run, self._known.record
        if run is not None and run.message:
            return run.message
        return self._known.reason or (record.reason if record is not None and self._job is None else "")

    def _scenes(self) -> Optional[int]:
        run = self._known.run
        if run is not None and not run.live and run.phase is Phase.LOADED:
            return len(run.scenes)
        return self._known.scenes

    def _charged(self) -> Optional[float]:
        known = self._known
        if known.credits is not None:
            return float(known.credits.used)
        if known.run is not None and known.run.credits_charged is not None:
            return float(known.run.credits_charged)
        return known.record.charged if known.record is not None else None

    def _tasks(self) -> Optional[Tuple[TaskEntry, ...]]:
        tasks = self._known.tasks
        if tasks is None:
            return None
        steps = self._known.run.configuration.workflow.steps if self._known.run is not None else ()
        titles = {step.name: step.block.title for step in steps}
        charges = self._known.credits.by_task if self._known.credits is not None else {}
        found = []
        for number, task in enumerate(tasks):
            behind = number if number and task.state is JobState.NOT_STARTED else 0
            title = titles.get(task.name) or self._titles.get(task.name.partition(":")[0]) or task.block_name
            charge = charges.get(task.name)
            found.append(
                TaskEntry(
                    id=task.id,
                    name=task.name,
                    title=title or task.name,
                    state=task.state,
                    word=task.word,
                    started=task.started,
                    finished=task.finished,
                    charged=None if charge is None else float(charge),
                    waits_for=_first_open(tasks[:number]) if behind else 0,
                )
            )
        return tuple(found)


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _first_open(before: Tuple[JobTask, ...]) -> int:
    """The number of the first block that is not done."""
    return next((number for number, task in enumerate(before, 1) if task.state is not JobState.SUCCEEDED), 0)
