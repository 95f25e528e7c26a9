"""The webhooks of a workspace, read and changed in the background.

The service lists webhooks with their secrets, and takes a changed one whole, secret included. So that no secret ever
leaves the worker, a change reads the webhook again first and puts back what it has; what comes to the main thread is
:class:`~up42_plugin.core.webhooks.ListedWebhook`. A secret that was typed goes the other way, once.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Callable, FrozenSet, Iterator, List, Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import (
    AccessError,
    AuthError,
    Cancelled,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    Up42Error,
    ValidationError,
)
from up42_plugin.api.redaction import HIDDEN
from up42_plugin.core.context import JobContext
from up42_plugin.core.service import JobService, ServiceProvider, Webhook
from up42_plugin.core.webhooks import DeliveryReport, ListedWebhook, WebhookDraft, WebhookEvent
from up42_plugin.qgis_bridge.jobs import Job, JobRunner

Work = Callable[[JobService], Any]

#: After these the service has what it had before.
_NOTHING_DONE = (ValidationError, AccessError, AuthError, NotSentError)
_GONE = "This webhook no longer exists."
_UNEXPECTED = "Something unexpected happened. Details are in the log."


class Doing(Enum):
    """What goes on with the webhooks; the texts are for the person."""

    READING = "Reading the webhooks…"
    SAVING = "Saving…"
    DELETING = "Deleting…"
    TESTING = "Testing, waiting for the receiver…"


_CHANGES = (Doing.SAVING, Doing.DELETING)


@dataclass(frozen=True)
class Failure:
    """What did not go well, and why. ``webhook_id`` is empty for one that was to be made.

    ``sure`` when it was not done; without an answer it may have been done all the same, and the message says so.
    """

    doing: Doing
    message: str
    webhook_id: str = ""
    sure: bool = True


class WebhookBook(QObject):
    """The webhooks of one connection's workspace, one operation at a time.

    ``changed`` when the list, its trouble or what goes on is another. ``saved(webhook)``, ``deleted(id)``,
    ``tested(webhook, report)`` and ``failed(failure)`` end what was asked for. After :meth:`close` no signal comes but
    ``late(failure)``, when a change that was under way then has failed.
    """

    changed = pyqtSignal()
    saved = pyqtSignal(object)
    deleted = pyqtSignal(str)
    tested = pyqtSignal(object, object)
    failed = pyqtSignal(object)
    late = pyqtSignal(object)

    def __init__(self, provider: ServiceProvider, runner: JobRunner, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._provider, self._runner = provider, runner
        self.webhooks: Optional[Tuple[ListedWebhook, ...]] = None
        self.events: Tuple[WebhookEvent, ...] = ()
        self.trouble = ""
        self.doing: Optional[Doing] = None
        self._job: Optional[Job] = None
        self._turn = 0
        self._overtaken = self._closed = False

    @property
    def busy(self) -> bool:
        """Whether something goes on that a new wish has to wait for; reading the list makes way."""
        return self.doing not in (None, Doing.READING)

    @property
    def changing(self) -> bool:
        """Whether what goes on changes something on the service."""
        return self.doing in _CHANGES

    def webhook(self, webhook_id: str) -> Optional[ListedWebhook]:
        """One of the list."""
        return next((hook for hook in self.webhooks or () if hook.id == webhook_id), None)

    def close(self) -> None:
        """Forget everything: reading and testing end, a change that is under way goes on."""
        self._closed = True
        if self._job is None:
            self.deleteLater()
        elif not self.changing:
            self._job.cancel()

    def cancel(self) -> None:
        """Give up what goes on."""
        if self._job is not None:
            self._job.cancel()

    # -- what can be done

    def read(self) -> bool:
        """Read the list and the events; an earlier reading is dropped."""

        def work(service: JobService) -> Tuple[Tuple[WebhookEvent, ...], Tuple[ListedWebhook, ...]]:
            events = tuple(WebhookEvent.of(members) for members in service.webhook_events())
            return events, tuple(ListedWebhook.of(webhook) for webhook in service.webhooks())

        def done(found: Tuple[Tuple[WebhookEvent, ...], Tuple[ListedWebhook, ...]]) -> None:
            self.events, self.webhooks = found
            self.trouble = ""

        return self._start(Doing.READING, "UP42: reading the webhooks", work, done)

    def save(self, draft: WebhookDraft) -> bool:
        """Make a webhook, or change one."""
        known = frozenset(hook.id for hook in self.webhooks or ())
        return self._start(
            Doing.SAVING, "UP42: saving the webhook", lambda service: _saved(service, draft, known), self._put, draft.id
        )

    def set_active(self, webhook_id: str, active: bool) -> bool:
        """Have a webhook told of events, or no longer; the rest stays as the service has it."""

        def work(service: JobService) -> ListedWebhook:
            present = _present(service, webhook_id)
            with _hidden(present.secret):
                return ListedWebhook.of(service.save_webhook(replace(present, active=active)))

        return self._start(Doing.SAVING, "UP42: saving the webhook", work, self._put, webhook_id)

    def delete(self, webhook_id: str) -> bool:
        """Delete a webhook; one that is gone already is as good as deleted."""

        def work(service: JobService) -> str:
            with suppress(NotFoundError):
                service.delete_webhook(webhook_id)
            return webhook_id

        def done(gone: str) -> None:
            self.webhooks = tuple(hook for hook in self.webhooks or () if hook.id != gone)
            self.deleted.emit(gone)

        return self._start(Doing.DELETING, "UP42: deleting the webhook", work, done, webhook_id)

    def test(self, webhook: ListedWebhook) -> bool:
        """Have the service send one notification for each event."""
        return self._start(
            Doing.TESTING,
            "UP42: testing the webhook",
            lambda service: DeliveryReport.of(service.test_webhook(webhook.id)),
            lambda report: self.tested.emit(webhook, report),
            webhook.id,
        )

    # -- one at a time

    def _start(self, doing: Doing, title: str, work: Work, done: Callable[[Any], None], webhook_id: str = "") -> bool:
        if self._closed or self.busy:
            return False
        if self._job is not None:
            self._overtaken = doing is not Doing.READING
            self._job.cancel()
        self._turn += 1
        turn, provider = self._turn, self._provider

        def run(context: JobContext) -> Any:
            with provider.open(context) as service:
                return work(service)

        job = self._job = self._runner.start(title, run, long_running=True, hidden=True)
        self.doing = doing
        self._overtaken = self._overtaken and doing is not Doing.READING
        job.succeeded.connect(lambda result: self._end(turn, lambda: self._succeed(done, result)))
        job.failed.connect(lambda error: self._end(turn, lambda: self._fail(doing, webhook_id, error)))
        job.cancelled.connect(lambda: self._end(turn, lambda: self._fail(doing, webhook_id, None)))
        self.changed.emit()
        return True

    def _end(self, turn: int, tell: Callable[[], None]) -> None:
        """Hear of the end of what goes on; of anything earlier no more."""
        if turn != self._turn:
            return
        self._job, self.doing = None, None
        tell()
        if self._closed:
            self.deleteLater()
            return
        self.changed.emit()
        if self._overtaken and self._job is None:
            self.read()

    def _succeed(self, done: Callable[[Any], None], result: Any) -> None:
        if not self._closed:
            done(result)

    def _put(self, webhook: ListedWebhook) -> None:
        listed = self.webhooks or ()
        known = any(hook.id == webhook.id for hook in listed)
        self.webhooks = (
            tuple(webhook if hook.id == webhook.id else hook for hook in listed) if known else (*listed, webhook)
        )
        self.saved.emit(webhook)

    def _fail(self, doing: Doing, webhook_id: str, error: Optional[BaseException]) -> None:
        """Tell why; where it is not known what the service has now, read it."""
        message = _message_of(doing, error)
        sure = _surely_not_done(doing, webhook_id, error)
        failure = Failure(doing, message, webhook_id, sure)
        if self._closed:
            if doing in _CHANGES and error is not None:
                self.late.emit(failure)
            return
        if doing is Doing.READING:
            self.trouble = message
            return
        self.failed.emit(failure)
        other = isinstance(error, NotFoundError) or (doing in _CHANGES and not sure)
        if other and self._job is None:
            self.read()


def _surely_not_done(doing: Doing, webhook_id: str, error: Optional[BaseException]) -> bool:
    """Whether the service has what it had. What is sent once says so itself; the rest is repeated until it may have."""
    if error is None:
        return False
    if doing is Doing.TESTING or not webhook_id:
        return not isinstance(error, OutcomeUnknownError)
    return isinstance(error, (NotFoundError, *_NOTHING_DONE))


def _message_of(doing: Doing, error: Optional[BaseException]) -> str:
    if error is None:
        return {
            Doing.READING: "Reading the webhooks was cancelled.",
            Doing.SAVING: "Saving was cancelled. The list shows what the service has.",
            Doing.DELETING: "Deleting was cancelled. The list shows what the service has.",
            Doing.TESTING: "The test was cancelled. It may have been sent all the same.",
        }[doing]
    if isinstance(error, NotFoundError):
        return _GONE
    return error.user_message if isinstance(error, Up42Error) else _UNEXPECTED


# -- in the worker


def _saved(service: JobService, draft: WebhookDraft, known: FrozenSet[str]) -> ListedWebhook:
    present = _present(service, draft.id).secret if draft.id else None
    with _hidden(present, draft.secret):
        webhook = draft.webhook(present)
        try:
            return ListedWebhook.of(service.save_webhook(webhook))
        except OutcomeUnknownError:
            made = [] if draft.id else _made(service, draft, known)
            if len(made) != 1:
                raise
            return ListedWebhook.of(made[0])


def _present(service: JobService, webhook_id: str) -> Webhook:
    """A webhook as the service has it now, with its secret."""
    found = next((webhook for webhook in service.webhooks() if webhook.id == webhook_id), None)
    if found is None:
        raise NotFoundError(_GONE)
    return found


def _made(service: JobService, draft: WebhookDraft, known: FrozenSet[str]) -> List[Webhook]:
    """What may have been made of a draft whose answer was lost; nothing where the service cannot be asked."""
    try:
        return [hook for hook in service.webhooks() if hook.id not in known and draft.describes(hook)]
    except Cancelled:
        raise
    except Up42Error:
        return []


@contextmanager
def _hidden(*secrets: Optional[str]) -> Iterator[None]:
    """Take secrets out of whatever is said about a failure: a service may repeat what it was sent."""
    known = [form for secret in secrets if secret for form in (secret, json.dumps(secret)[1:-1])]

    def clean(text: str) -> str:
        for secret in known:
            text = text.replace(secret, HIDDEN)
        return text

    try:
        yield
    except Up42Error as error:
        error.user_message, error.detail = clean(error.user_message), clean(error.detail)
        error.args = (error.user_message,)
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        if clean(said) == said:
            raise
        # the traceback ends with these words, so it is left out
        kind = type(error).__name__
    else:
        return
    raise Up42Error(_UNEXPECTED, kind) from None
