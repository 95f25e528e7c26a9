"""From the click to a job on the service: sending a run once, and finding out how that ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, Optional, Set, Union

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import NotFoundError, Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.ledger import Submission, SubmissionState
from up42_plugin.core.ledger_queue import PutOff
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import JobService, ServiceProvider
from up42_plugin.core.submission import Outcome, Recorded, Submitter
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.run_book import RunBook
from up42_plugin.qgis_bridge.settling import Settler

#: Sends a run in a worker, or puts it off.
Submit = Callable[[Submitter, JobService, JobContext, Recorded], Union[Outcome, PutOff]]

SENDING = "Sending…"
CANCELLED = "Cancelled before it was sent."
FORGOTTEN = "The service no longer knows this job."
NOT_SUBMITTED = "Not submitted: the service does not know this job."


class Sender(QObject):
    """Sends runs. ``recorded(key)`` once, when a run's submission is in the ledger.

    Then ``accepted(key, Job)`` when the service has it, or ``refused(key, why)`` when it never got it. Until one of
    them comes it is looked up; it is never sent twice. ``put_off(key, PutOff)`` when a run that waits for a slot was
    not sent after all.
    """

    recorded = pyqtSignal(str)
    accepted = pyqtSignal(str, object)
    refused = pyqtSignal(str, str)
    put_off = pyqtSignal(str, object)

    def __init__(
        self,
        book: RunBook,
        runner: JobRunner,
        submitter_of: Callable[[str], Submitter],
        settler: Settler,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._book, self._runner, self._submitter_of, self._settler = book, runner, submitter_of, settler
        self._jobs: Dict[str, BackgroundJob] = {}
        self._submissions: Dict[str, int] = {}  # written by the workers, one key each
        self._told: Set[str] = set()
        settler.settled.connect(self._settled)

    def send(self, run: Run, provider: ServiceProvider, submit: Submit) -> None:
        """Send a run that is in the book; ``submit`` does it in a worker."""
        key, submitter = run.key, self._submitter_of(provider.connection_id)

        def work(context: JobContext) -> Union[Outcome, PutOff]:
            def recorded(submission: Submission) -> None:
                self._submissions[key] = submission.id
                context.progress(-1, SENDING)

            with provider.open(context) as service:
                return submit(submitter, service, context, recorded)

        job = self._jobs[key] = self._runner.start(f"UP42: sending {run.name}", work, long_running=True)
        job.progressed.connect(lambda _percent, text: self._sending(key, text))
        job.succeeded.connect(lambda outcome: self._submitted(key, outcome))
        job.failed.connect(lambda error: self._failed(key, error))
        job.cancelled.connect(lambda: self._cancelled(key))

    def owns(self, submission_id: int) -> bool:
        """Whether a submission was made by this session."""
        return submission_id in self._submissions.values()

    def runs_by_submission(self) -> Dict[int, str]:
        """The runs that were recorded, by the ledger's ids of their submissions."""
        return {submission_id: key for key, submission_id in dict(self._submissions).items()}

    def cancel(self, key: str) -> None:
        """Have it not sent or, when it may have left already, cancelled on the service once it is found there."""
        self._book.put(replace(self._book.of(key), unwanted=True))
        if self._active(key):
            self._jobs[key].cancel()
        else:
            self._look_up(key)

    def _active(self, key: str) -> bool:
        job = self._jobs.get(key)
        return job is not None and job.active

    def _sending(self, key: str, text: str) -> None:
        """Whatever a submission reports comes after its record; reports may be skipped, so any of them tells."""
        self._tell_recorded(key)
        run = self._book.of(key)
        if run.phase in (Phase.WAITING, Phase.SENDING, Phase.CHECKING):
            checking = text.startswith("Checking")
            phase, message = (Phase.CHECKING, "") if checking else (Phase.SENDING, text)
            self._book.put(replace(run, phase=phase, message=message))

    def _tell_recorded(self, key: str) -> None:
        if key in self._submissions and key not in self._told:
            self._told.add(key)
            self.recorded.emit(key)

    def _put_off(self, key: str, why: PutOff) -> None:
        """It waits on: what was recorded of it is the queue's again."""
        self._submissions.pop(key, None)
        self._told.discard(key)
        self.put_off.emit(key, why)

    def _submitted(self, key: str, outcome: Union[Outcome, PutOff]) -> None:
        if isinstance(outcome, PutOff):
            self._put_off(key, outcome)
            return
        self._tell_recorded(key)
        if outcome.job is not None:
            self.accepted.emit(key, outcome.job)
        elif outcome.accepted and isinstance(outcome.error, NotFoundError):
            self.refused.emit(key, FORGOTTEN)
        elif outcome.accepted or not outcome.state.settled:
            # Accepted without a job: the service has it, and cannot be asked about it now.
            self._put_checking(key)
        else:
            self.refused.emit(key, CANCELLED if self._book.of(key).unwanted else _why_not(outcome))

    def _failed(self, key: str, error: BaseException) -> None:
        self._tell_recorded(key)
        if key in self._submissions:
            self._put_checking(key)  # broken off in the middle: the ledger knows, or finds out
        elif self._book.of(key).phase is Phase.WAITING:
            self._put_off(key, PutOff.NO_ANSWER)
        else:
            self.refused.emit(key, message_of(error))

    def _cancelled(self, key: str) -> None:
        """It may have arrived: find out, and then cancel it there."""
        self._tell_recorded(key)
        if key in self._submissions:
            self._book.put(replace(self._book.of(key), unwanted=True))
            self._put_checking(key)
        elif self._book.of(key).phase is Phase.WAITING:
            self._put_off(key, PutOff.NO_ANSWER)
        else:
            self.refused.emit(key, CANCELLED)

    def _put_checking(self, key: str) -> None:
        self._book.put(replace(self._book.of(key), phase=Phase.CHECKING, message=""))
        self._look_up(key)

    def _look_up(self, key: str) -> None:
        if key in self._submissions:
            self._settler.settle(self._book.of(key).connection_id, [self._submissions[key]])

    def _settled(self, outcome: Outcome) -> None:
        if not outcome.state.settled:
            return
        for run in self._book.all():
            if run.phase is not Phase.CHECKING or self._active(run.key):
                continue
            if self._submissions.get(run.key) == outcome.submission.id and not _to_be_continued(outcome):
                self._submitted(run.key, outcome)


def _to_be_continued(outcome: Outcome) -> bool:
    """Accepted, and the settler goes on asking for the job."""
    return outcome.accepted and outcome.job is None and not isinstance(outcome.error, NotFoundError)


def _why_not(outcome: Outcome) -> str:
    if outcome.state is SubmissionState.NOT_SUBMITTED:
        return NOT_SUBMITTED
    reason = outcome.error.user_message if outcome.error is not None else outcome.submission.reason
    return reason or "Not submitted."


def message_of(error: BaseException) -> str:
    """What to tell the person of an error."""
    if isinstance(error, Up42Error):
        return error.user_message
    return "Something unexpected happened. Details are in the log."
