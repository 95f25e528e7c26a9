"""New Job: what the form asks for, what it would cost, and whether it may run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Callable, Optional, Sequence, Tuple, Union

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import NetworkError
from up42_plugin.core.advice import areas_advice
from up42_plugin.core.aoi import AOI, box_area_km2
from up42_plugin.core.batch import Batch, BatchJob, batch_problems
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.freshness import Freshness, TestedQuery
from up42_plugin.core.job_areas import JobArea
from up42_plugin.core.jobs import Mode
from up42_plugin.core.readiness import Readiness, Situation, readiness
from up42_plugin.core.service import Balance, Limits, ServiceProvider
from up42_plugin.core.stored_data import (
    AREA_NOT_NEEDED,
    NO_ESTIMATION,
    NOT_AVAILABLE_FROM_STORAGE,
    SEARCH_NOT_USED,
)
from up42_plugin.core.tested import TestedQueries
from up42_plugin.core.validation import validate
from up42_plugin.core.workflow import Workflow
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.foot import RUN_WHEN_IT_ENDS, PriceState
from up42_plugin.gui.job_details import JobDetails
from up42_plugin.gui.message_actions import OPTIONS, TRY_AGAIN
from up42_plugin.qgis_bridge.area_sources import AreaSource, AreaState
from up42_plugin.qgis_bridge.pricing import Pricing
from up42_plugin.qgis_bridge.project_data import ProjectData

Clock = Callable[[], datetime]
OFFLINE = "Working offline."
NO_PRICE = "The service gave no price."


@dataclass(frozen=True)
class Form:
    """What the form amounts to: a configuration or a batch, or the sentence that says why there is none yet."""

    configuration: Optional[JobConfiguration]
    problem: str = ""
    batch: Optional[Batch] = None

    @property
    def asked(self) -> Union[JobConfiguration, Batch, None]:
        """What would run: one job, or several."""
        return self.batch if self.batch is not None else self.configuration

    @property
    def jobs(self) -> Tuple[BatchJob, ...]:
        """The jobs that would run, none while there is a problem."""
        if self.batch is not None:
            return self.batch.jobs
        return (BatchJob("", self.configuration),) if self.configuration is not None else ()


class NewJob(QObject):
    """Presents the form: follows the selection, keeps the price current, and says which button is open.

    ``changed`` whenever what is shown may be another: configuration, price or readiness.
    """

    changed = pyqtSignal()

    def __init__(
        self,
        *,
        dock: Up42Dock,
        details: JobDetails,
        tracker: AreaSource,
        pricing: Pricing,
        provider: Callable[[], Optional[ServiceProvider]],
        over_limit: Callable[[str, Range, Sequence[Range]], str],
        slots_taken: Callable[[str, Optional[int]], str] = lambda _connection, _most: "",
        clock: Clock = lambda: datetime.now(timezone.utc),
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._dock, self._tracker, self._pricing = dock, tracker, pricing
        self._provider, self._clock, self._limit_problem = provider, clock, over_limit
        self._slots_taken = slots_taken
        self.details = details
        self._project: Optional[ProjectData] = None
        self._balance: Optional[Balance] = None
        self._trouble = "Choose a connection first."
        self._again = ""
        self._offline = self._waiting = ""
        self.tests = TestedQueries()
        self._batch: Optional[Tuple[JobConfiguration, Tuple[JobArea, ...], Batch]] = None
        self._running = False
        self.price = PriceState()
        self.ready = Readiness(False, False, "", False)
        tracker.changed.connect(self.refresh)
        dock.workflow.chosen.connect(self._workflow_chosen)
        details.changed.connect(self.refresh)
        pricing.asking.connect(self._price_asked)
        pricing.estimated.connect(self._price_known)
        pricing.failed.connect(self._price_unknown)
        pricing.waiting.connect(self.set_waiting)

    @property
    def selection(self) -> AreaState:
        """The area, or what is wrong with it."""
        return self._tracker.state

    @property
    def geometric_filter(self) -> GeometricFilter:
        """How the area is to be matched with images."""
        return self._dock.search.values.geometric_filter

    @property
    def limits(self) -> Limits:
        """The project's limits, or none while they are not known."""
        return self._project.limits if self._project is not None else Limits()

    @property
    def tested(self) -> Optional[TestedQuery]:
        """The last test query of the project's connection that ended, whatever the form says now."""
        return self.tests.last(self._project.connection_id) if self._project is not None else None

    @property
    def form(self) -> Form:
        """The configuration the form asks for."""
        if self.details.trouble:
            return Form(None, self.details.trouble)
        if self.stored:
            return Form(self.details.configuration(None))
        if len(self.selection.areas) > 1 and not self.details.typed:
            return self._batch_form(self.selection.areas)
        if self.selection.aoi is None and not self.details.typed:
            return Form(None)
        return Form(self.details.configuration(self.selection.aoi))

    def _batch_form(self, areas: Tuple[JobArea, ...]) -> Form:
        first = self.details.configuration(areas[0].aoi)
        if first is None:
            return Form(None)
        if self._batch is None or self._batch[:2] != (first, areas):
            self._batch = (first, areas, Batch.of(first, areas))
        return Form(None, batch=self._batch[2])

    @property
    def stored(self) -> Tuple[str, ...]:
        """The assets in storage that the form asks for, by their ids: then no area is needed."""
        return self.details.form.asset_ids if self.details.form is not None else ()

    @property
    def area(self) -> Optional[AOI]:
        """The area of the job, None where there is none: typed as JSON, or selected on the map."""
        return None if self.stored else self.details.area(self.selection.aoi)

    @property
    def areas(self) -> Tuple[AOI, ...]:
        """The area of each job: several in a batch."""
        one = self.area
        return (one,) if one is not None else () if self.details.typed or self.stored else self.selection.aois

    def set_trouble(self, text: str, again: str = "") -> None:
        """Why there is no project to work in, and the text of the button that tries again."""
        self._trouble, self._again = text, again
        self._offline = self._waiting = ""
        self._project = None
        self._balance = None
        self.refresh()

    def set_project(self, project: ProjectData) -> None:
        """The connection's project, read just now."""
        self._trouble = self._again = self._offline = self._waiting = ""
        self._project = project
        self._dock.workflow.show_workflows(project.workflows)
        self.refresh()

    @property
    def has_project(self) -> bool:
        """Whether the connection's project was read."""
        return self._project is not None

    def set_offline(self, why: str) -> None:
        """The service cannot be reached: what is known of the project stays, and the form can be filled in."""
        self._offline, self._waiting = why, ""
        self.refresh()

    def set_waiting(self, text: str) -> None:
        """What the service is waited for, until the answer comes."""
        self._waiting = text
        self._decide(*self._problems(self.form))

    def set_balance(self, balance: Optional[Balance]) -> None:
        """The credits left, None when not known."""
        self._balance = balance
        self.refresh()

    def set_running(self, running: bool) -> None:
        """Whether a test query of this form is on its way."""
        self._running = running
        self.refresh()

    def set_tested(self, tested: TestedQuery) -> None:
        """The result of a test query, to be compared with the form while its connection is the current one."""
        self.tests.add(tested)
        self.refresh()

    def ask_price_again(self) -> None:
        """Ask for the estimation anew."""
        self._pricing.forget()
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Bring everything shown up to date with the form."""
        self._dock.search.set_unused(SEARCH_NOT_USED if self.stored else "")
        self._tracker.set_limits(self.limits.min_aoi_km2, self.limits.max_aoi_km2)
        self._tracker.set_boxed(self.geometric_filter is GeometricFilter.BBOX)
        self.details.set_area(self.selection.aoi)
        self._show_area()
        form = self.form
        test, live = self._problems(form)
        self._want_price(form, test)  # what only keeps a live job back has its price all the same
        self._decide(test, live)
        self._dock.foot.show_price(self.price)
        self.changed.emit()

    def _decide(self, test: Tuple[str, ...], live: Tuple[str, ...]) -> None:
        situation = self._situation(test, live)
        self.ready = readiness(situation)
        self._dock.foot.show_readiness(self.ready, self._action(situation))
        self._dock.foot.reason.setToolTip(self._offline)

    def _action(self, situation: Situation) -> str:
        """The text of the button beside the reason."""
        if self.ready.can_queue:
            return RUN_WHEN_IT_ENDS
        if situation.over_limit and self.ready.reason == situation.over_limit:
            return OPTIONS
        told = self.ready.reason
        return TRY_AGAIN if told == OFFLINE or told.startswith(NO_PRICE) else self._again

    def _show_area(self) -> None:
        if self.stored:
            self._dock.area.show_not_needed(AREA_NOT_NEEDED)
            return
        state = self.selection
        boxed = self.geometric_filter is GeometricFilter.BBOX
        box = sum(map(box_area_km2, state.aois)) if state.aois and boxed else None
        self._dock.area.show_state(state, box, areas_advice(self._dock.workflow.current, state.aois))

    def _problems(self, form: Form) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
        if form.asked is None:
            texts = (form.problem,) if form.problem else ()
            self.details.mark(())
            return texts, texts
        asked, limits = form.asked, self.limits
        if isinstance(asked, Batch):
            found = [batch_problems(asked, limits, mode) for mode in (Mode.TEST_QUERY, Mode.LIVE)]
        else:
            found = [validate(asked, limits, mode) for mode in (Mode.TEST_QUERY, Mode.LIVE)]
        self.details.mark(found[0])
        test, live = (self.details.located(problems) for problems in found)
        return test, live

    def _want_price(self, form: Form, problems: Tuple[str, ...]) -> None:
        provider = self._provider() if self._project is not None else None
        if self.stored:
            self._pricing.want(None, None)
            self.price = PriceState(balance=self._credits, reason=NO_ESTIMATION, instead=NOT_AVAILABLE_FROM_STORAGE)
            return
        if form.asked is None or problems or provider is None:
            self._pricing.want(None, None)
            self._waiting = self._waiting if self._project is None else ""
            self.price = PriceState(balance=self._credits, reason=problems[0] if problems else "")
            return
        self._pricing.want(form.asked, provider)
        self.price = replace(self.price, balance=self._credits, instead="")

    def _situation(self, test: Tuple[str, ...], live: Tuple[str, ...]) -> Situation:
        state, form = self.selection, self.form
        trouble = self._trouble or ("" if self._project is not None else self._waiting or "Loading workflows…")
        trouble = trouble or (OFFLINE if self._offline else "")
        tested, verdict = False, ""
        selected = not self.details.typed and not self.stored
        if form.asked is not None and self._project is not None:
            freshness = self._freshness(form.asked, self._project.connection_id)
            tested, verdict = freshness.fresh, freshness.text
        return Situation(
            connection_trouble=trouble,
            text_trouble=self.details.trouble or (test[0] if self.details.marked and test else ""),
            area_needed=selected and form.batch is None,
            area_trouble=state.error.problems[0].reason if state.error is not None and selected else "",
            aoi=self.area,
            workflow=self._dock.workflow.current,
            test_problems=test,
            live_problems=live,
            tested=tested,
            test_verdict=verdict,
            balance=self._balance,
            running=self._running,
            over_limit=self._over_limit,
            notice=self._waiting or (NO_PRICE if self.price.failed else ""),
            slots_taken=self._full(form),
        )

    def _freshness(self, asked: Union[JobConfiguration, Batch], connection_id: str) -> Freshness:
        if isinstance(asked, Batch):
            return self.tests.freshness(connection_id, asked, self._clock())
        return Freshness.check(self.tested, asked, connection_id, self._clock())

    def _full(self, form: Form) -> str:
        """Why another job cannot begin now, or nothing."""
        if self._project is None or form.asked is None:
            return ""
        return self._slots_taken(self._project.connection_id, self.limits.max_concurrent_jobs)

    @property
    def _over_limit(self) -> str:
        """Which of the person's limits the price exceeds; nothing while there is no price."""
        price = self.price
        if self._project is None or price.estimation is None:
            return ""
        return self._limit_problem(self._project.connection_id, price.estimation.credits, price.each)

    @property
    def _credits(self) -> Optional[int]:
        return self._balance.credits if self._balance is not None else None

    def _workflow_chosen(self, workflow: Optional[Workflow]) -> None:
        self.details.show_workflow(workflow, self.limits.max_scenes)
        self.refresh()

    def _price_asked(self) -> None:
        self._waiting = ""
        self.price = replace(self.price, balance=self._credits, updating=True, reason="", failed=False)
        self._dock.foot.show_price(self.price)

    def _price_known(self, estimation: object) -> None:
        self._offline = self._waiting = ""
        each = self._pricing.each
        self.price = PriceState(estimation, self._credits, jobs=len(each), each=each)  # type: ignore[arg-type]
        self._decide(*self._problems(self.form))
        self._dock.foot.show_price(self.price)
        self.changed.emit()

    def _price_unknown(self, error: BaseException) -> None:
        self._waiting = ""
        reason = getattr(error, "user_message", NO_PRICE)
        if isinstance(error, NetworkError):
            self._offline = reason
        self.price = PriceState(None, self._credits, reason=reason, failed=True)
        self._decide(*self._problems(self.form))
        self._dock.foot.show_price(self.price)
        self.changed.emit()
