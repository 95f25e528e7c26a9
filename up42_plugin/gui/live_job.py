"""Run Live Job…: from the click to a recorded, confirmed submission."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QWidget

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.batch import BatchJob, estimate_each, shares
from up42_plugin.core.bought import Bought
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Estimation, Range, combined
from up42_plugin.core.freshness import TestedQuery
from up42_plugin.core.parameters import ASSET_IDS
from up42_plugin.core.service import Balance, ServiceProvider
from up42_plugin.core.spending import Spending
from up42_plugin.core.stored_data import AREA_NOT_NEEDED, several
from up42_plugin.gui.confirm_dialog import ConfirmDialog, Proposal
from up42_plugin.gui.new_job import NO_PRICE
from up42_plugin.gui.search_binding import time_words
from up42_plugin.gui.search_section import FILTERS
from up42_plugin.gui.texts import NBSP, area_text, count_text, day_text, moment_text
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.jobs import Job, JobRunner
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.spending import SpendingBook

Each = Tuple[Estimation, ...]
Price = Tuple[Each, Optional[Balance], str, Spending, Tuple[Optional[Bought], ...]]
#: Starts what was agreed to, under this name and for these prices one by one; returns the id that will be recorded.
Begin = Callable[[str, Tuple[Range, ...]], str]
_NAMED = 5
OTHER_CONNECTION = "The connection changed meanwhile. Cancel, and try again."


class LiveJob(QObject):
    """Asks once, with the price read at that moment, and begins what was agreed to."""

    def __init__(
        self,
        *,
        runner: JobRunner,
        runs: RunController,
        queue: JobQueue,
        spending: SpendingBook,
        window: QWidget,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._spending, self._window = runner, spending, window
        self._runs = runs
        self._dialog: Optional[ConfirmDialog] = None
        self._reading: Optional[Job] = None
        self._begun = ""
        self._each: Each = ()
        runs.recorded.connect(self._recorded)
        runs.ended.connect(self._ended)
        queue.recorded.connect(self._recorded)
        queue.refused.connect(self._refused)

    def ask(
        self,
        provider: ServiceProvider,
        jobs: Sequence[BatchJob],
        proposal: Proposal,
        why_not: Callable[[], str],
        begin: Begin,
    ) -> None:
        """Open the confirmation; ``why_not`` is asked again at the click: what has come in between, or nothing."""
        if self._dialog is not None:
            self._dialog.raise_()
            return
        dialog = self._dialog = ConfirmDialog(proposal, self._window)
        dialog.setModal(True)
        dialog.finished.connect(self._closed)

        def confirmed(name: str, agreed: Range) -> None:
            if self._begun:
                return
            refusal = why_not()
            if refusal:
                dialog.show_refusal(refusal)
                return
            each = tuple(found.credits for found in self._each) or shares(agreed, len(jobs))
            self._begun = begin(name, each)

        dialog.confirmed.connect(confirmed)
        self._read_price(provider, jobs, dialog)
        dialog.open()

    def close(self) -> None:
        """Close the confirmation, as with Cancel."""
        if self._dialog is not None:
            self._dialog.done(ConfirmDialog.DialogCode.Rejected)

    def _read_price(self, provider: ServiceProvider, jobs: Sequence[BatchJob], dialog: ConfirmDialog) -> None:
        limits, connection_id = self._spending.limits, provider.connection_id
        asked = [job.configuration for job in jobs]

        def work(context: JobContext) -> Price:
            # Without a price the dialog asks for a maximum, without a balance it says so: no error ends it.
            each: Each = ()
            balance, reason = None, ""
            try:
                each = estimate_each(provider, jobs, context)
            except Up42Error as error:
                context.check()
                reason = error.user_message
            with suppress(Up42Error), provider.open(context) as service:
                balance = service.balance()
            context.check()
            spending = Spending(limits, self._spending.read_now(connection_id))
            return each, balance, reason, spending, self._spending.bought_now(connection_id, asked)

        job = self._reading = self._runner.start("UP42: reading the price", work, long_running=True)

        def read(price: Price) -> None:
            each, balance, reason, spending, bought = price
            if dialog is not self._dialog:
                return
            self._each = each
            credits_left = balance.credits if balance is not None else None
            if each:
                costs = [found.credits for found in each]
                dialog.show_price(combined(each), credits_left, spending, costs)
            else:
                dialog.show_no_price(reason, credits_left, spending)
            self._warn_of(bought, dialog)

        def failed(reason: str) -> None:
            if dialog is self._dialog:
                dialog.show_no_price(reason, None, Spending(limits))

        job.succeeded.connect(read)
        job.failed.connect(lambda error: failed(getattr(error, "user_message", NO_PRICE)))
        job.cancelled.connect(lambda: failed(NO_PRICE))  # in the task manager: closing the dialog comes first else

    def _warn_of(self, bought: Sequence[Optional[Bought]], dialog: ConfirmDialog) -> None:
        known = [purchase for purchase in bought if purchase is not None]
        if not known:
            return
        newest = max(known, key=lambda purchase: purchase.when)
        single = len(bought) == 1
        dialog.show_bought(_bought_text(newest, len(known), len(bought)), single and newest.folder is not None)
        if single:
            dialog.load_asked.connect(lambda: self._load_that(newest, dialog))

    def _load_that(self, bought: Bought, dialog: ConfirmDialog) -> None:
        """Nothing is bought: the output comes from disk."""
        if bought.run is None or bought.run.job is None or bought.folder is None or self._begun:
            return
        dialog.reject()
        known = self._runs.find(bought.run.connection_id, bought.run.job.id)
        if known is None:
            self._runs.adopt(bought.run)
        self._runs.load_stored((known or bought.run).key, bought.folder)

    def _recorded(self, key: str) -> None:
        if key == self._begun and self._dialog is not None:
            self._dialog.accept()

    def _refused(self, key: str, message: str) -> None:
        """What could not even be recorded: nothing was sent, and the dialog says why."""
        if self._dialog is not None and key == self._begun:
            self._dialog.show_refusal(message)

    def _ended(self, run: object) -> None:
        self._refused(getattr(run, "key", ""), getattr(run, "message", ""))

    def _closed(self, *_: object) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
        dialog, self._dialog = self._dialog, None
        self._begun, self._each = "", ()
        if dialog is not None:
            dialog.deleteLater()


def proposal_of(
    name: str,
    *,
    jobs: Sequence[BatchJob],
    tested: Optional[TestedQuery],
    connection: str,
    shown_price: Optional[Range] = None,
    start: str = "",
) -> Proposal:
    """What the confirmation says about the jobs; ``start`` says when, where that is not at once."""
    configuration = jobs[0].configuration
    label = next(text.split(" (")[0] for kind, text, _ in FILTERS if kind is configuration.geometric_filter)
    parameters = configuration.parameters.get(configuration.workflow.data_step.name, {})
    lines: List[Tuple[str, str]] = [("Workflow", configuration.workflow.name or configuration.workflow.chain)]
    lines.extend(_area_lines(jobs))
    stored = parameters.get(ASSET_IDS) if configuration.from_storage else None
    lines.extend([("From storage", several(stored))] if stored else _search_lines(label, parameters))
    lines.append(("Tested", _tested_text(jobs, tested)))
    lines.append(("Connection", connection))
    if start:
        lines.append(("Start", start))
    return Proposal(name, tuple(lines), shown_price, len(jobs))


def _bought_text(newest: Bought, number: int, jobs: int) -> str:
    day = day_text(newest.when)
    if jobs > 1:
        return f"You bought {number} of these {jobs} areas with this block and time before, last on {day}."
    sentence = f"You bought this area, block and time on {day}"
    return f"{sentence}; it is on disk." if newest.folder is not None else f"{sentence}."


def _area_lines(jobs: Sequence[BatchJob]) -> List[Tuple[str, str]]:
    aoi = jobs[0].configuration.aoi
    if len(jobs) > 1:
        sizes = [job.configuration.aoi.area_km2 for job in jobs if job.configuration.aoi is not None]
        names = ", ".join(job.label for job in jobs[:_NAMED])
        more = f" and {len(jobs) - _NAMED} more" if len(jobs) > _NAMED else ""
        return [
            ("Jobs", f"{len(jobs)}, one for each area: {names}{more}"),
            ("Area", f"{area_text(sum(sizes))} in total"),
        ]
    if jobs[0].configuration.from_storage:
        return [("Area", AREA_NOT_NEEDED)]
    if aoi is None:
        return [("Area", "as typed in the JSON")]
    return [("Area", f"{area_text(aoi.area_km2)}, {aoi.source}" if aoi.source else area_text(aoi.area_km2))]


def _search_lines(label: str, parameters: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """The search as it will be sent, whatever the fields of the form can show of it."""
    ids = parameters.get("ids")
    if isinstance(ids, list) and ids:
        which = f"the scene {ids[0]}" if len(ids) == 1 else f"these {count_text(len(ids), 'scene')}"
        return [("Search", f"{label}, exactly {which}")]
    lines: List[Tuple[str, str]] = []
    series = parameters.get("time_series")
    if isinstance(series, list) and series:
        lines.append(("Time", "; ".join(time_words(item) for item in series)))
    elif "time" in parameters:
        lines.append(("Time", time_words(parameters["time"])))
    words = [label]
    if isinstance(parameters.get("limit"), int):
        words.append(f"limit {count_text(parameters['limit'], 'scene')}")
    if parameters.get("max_cloud_cover") is not None:
        words.append(f"clouds up to {parameters['max_cloud_cover']}{NBSP}%")
    return [*lines, ("Search", ", ".join(words))]


def _tested_text(jobs: Sequence[BatchJob], tested: Optional[TestedQuery]) -> str:
    if tested is None or not jobs[0].configuration.workflow.testable:
        return "Not possible: this block offers no test query"
    moment = moment_text(tested.finished)
    if len(jobs) > 1:
        return f"{moment[:1].upper()}{moment[1:]}, same configurations: {len(jobs)} of {len(jobs)} areas have scenes"
    return f"{moment[:1].upper()}{moment[1:]}, same configuration: {count_text(tested.scenes, 'scene')}"
