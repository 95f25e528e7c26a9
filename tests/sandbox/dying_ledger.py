"""A ledger whose process dies at a certain moment of a submission, for windows that are killed."""

from __future__ import annotations

import os
import signal
import sys
from enum import Enum
from typing import Any, Set

from up42_plugin.core.ledger import Ledger, NewJob, Submission


class Death(str, Enum):
    """When a process is killed. Its own ledger sees to it in the first four, the others come from outside."""

    BEFORE_COMMIT = "before the submission is committed"
    COMMITTED = "between the commit and the request"
    ANSWERED = "after the answer, before it is in the ledger"
    ACCEPTED = "when the answer is in the ledger"
    IN_COMMIT = "while the submission is being committed"
    IN_ACCEPT = "while the answer is being committed"
    ANY_TIME = "at any time"
    UNREAD = "when the request has left, unread"
    IN_REQUEST = "in the middle of the request"
    REQUEST_ON_ITS_WAY = "when the request has left, long before it arrives"
    REQUEST_SENT = "when the whole request was passed on"
    AT_ANSWER = "when the service has answered"
    IN_ANSWER = "in the middle of the answer"
    ANSWER_SENT = "when the whole answer was passed on"


#: Told to whoever has to kill the process a moment later.
NOW = "now"


class DyingLedger(Ledger):
    """The ledger itself; ``death`` says what its process does not survive, of a submission of its own."""

    def __init__(self, *args: Any, death: Death, **more: Any) -> None:
        super().__init__(*args, **more)
        self._death = death
        self._own: Set[int] = set()

    def add(self, new: NewJob) -> Submission:
        self._at(Death.BEFORE_COMMIT)
        self._tell(Death.IN_COMMIT)
        submission = super().add(new)
        self._own.add(submission.id)
        self._at(Death.COMMITTED)
        return submission

    def accept(self, submission: Submission, service_job_id: str) -> Submission:
        if submission.id not in self._own:  # another window's, looked up here
            return super().accept(submission, service_job_id)
        self._at(Death.ANSWERED)
        self._tell(Death.IN_ACCEPT)
        accepted = super().accept(submission, service_job_id)
        self._at(Death.ACCEPTED)
        return accepted

    def _at(self, moment: Death) -> None:
        if self._death is moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def _tell(self, moment: Death) -> None:
        if self._death is moment:
            say(NOW)


def say(text: str) -> None:
    """One line to whoever started this process."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
