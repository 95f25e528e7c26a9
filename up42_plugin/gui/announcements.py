"""Events told in QGIS's main message bar: what finished, failed or was found out."""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from qgis.core import Qgis, QgsMapLayer
from qgis.gui import QgsMessageBarItem
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QPushButton

from up42_plugin.core.jobs import JobState
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.submission import Outcome
from up42_plugin.core.tags import split_name
from up42_plugin.gui.message_actions import SHOW_JOB, sentence_of
from up42_plugin.gui.run_texts import WHILE_CLOSED, actions_of
from up42_plugin.gui.texts import count_text, credits_of


class Announcements(QObject):
    """Tells events, each with one button at most. ``load_asked(key)`` when the person wants a run's output.

    ``action_asked(key, text)`` for any other button. ``event(text)`` for what somebody who works elsewhere waits for.
    """

    load_asked = pyqtSignal(str)
    action_asked = pyqtSignal(str, str)
    event = pyqtSignal(str)

    def __init__(self, iface: Any, ledger_notice: Callable[[], str], parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._iface, self._ledger_notice, self._noticed = iface, ledger_notice, ""
        self._items: List[QgsMessageBarItem] = []

    def close(self) -> None:
        """Take back what still stands in the bar: its buttons would do nothing any more."""
        for item in self._standing():
            self._iface.messageBar().popWidget(item)
        self._items.clear()

    def tell(self, text: str, level: Qgis.MessageLevel, loadable: Optional[Run] = None, action: str = "") -> None:
        """Tell the person; with a button for a run whose output can be loaded, or for which something can be done."""
        item = self._iface.messageBar().createMessage("UP42", text)
        if loadable is not None:
            button = QPushButton(action or "Load", item)
            button.setObjectName("runAction" if action else "loadFromMessage")
            what = action or "Load the output as layers"
            button.setToolTip(f"{what}: {loadable.name}")
            button.setProperty("run", loadable.key)
            button.setProperty("action", action)
            button.clicked.connect(self._clicked)
            item.layout().addWidget(button)
        self._items = [*self._standing(), item]
        self._iface.messageBar().pushWidget(item, level)

    def _standing(self) -> List[QgsMessageBarItem]:
        return [item for item in self._items if not sip.isdeleted(item)]

    def warn(self, text: str) -> None:
        """Something did not go well."""
        self.tell(text, Qgis.MessageLevel.Warning)

    def test_query_failed(self, run: Run) -> None:
        """A test query that ended without scenes being known."""
        self._tell_failed(run)

    def live_job_ended(self, run: Run) -> None:
        """A live job that the service is done with, or never got; unless another window told that."""
        if run.told_elsewhere:
            return
        if run.succeeded:
            charged = f", {credits_of(run.credits_charged)} charged" if run.credits_charged is not None else ""
            end = WHILE_CLOSED if run.ended_while_closed else "finished"
            self.tell(f"{run.name} {end}{charged}.", Qgis.MessageLevel.Success, run)
            self.event.emit(f"{run.name} {end}{charged}.")
        elif run.state is JobState.CANCELLED:
            self.tell(f"{run.name} was cancelled.", Qgis.MessageLevel.Info)
        elif run.phase is Phase.NOT_SUBMITTED and run.unwanted:
            self.tell(f"{run.name}: {run.message}", Qgis.MessageLevel.Info)
        else:
            self._tell_failed(run)
            self.event.emit(f"{run.name}: {_why(run)}")

    def not_loaded(self, run: Run) -> None:
        """An output that did not become layers; stopping it is no news."""
        self._tell_failed(run)

    def _tell_failed(self, run: Run) -> None:
        offered = next(iter(actions_of(run)), "")
        self.tell(f"{run.name}: {_why(run)}", Qgis.MessageLevel.Warning, run if offered else None, offered)

    def layers_loaded(self, run: Run, layers: List[QgsMapLayer]) -> None:
        """Layers of a live job; those of a test query were not asked for one by one."""
        if run.live:
            text = f"{run.name}: {count_text(len(layers), 'layer')} loaded."
            self.tell(text, Qgis.MessageLevel.Success, run, SHOW_JOB)

    def not_cancelled(self, run: Run, sentence: str) -> None:
        """The person wanted a job cancelled, and it was not."""
        self.tell(f"{run.name} could not be cancelled. {sentence}", Qgis.MessageLevel.Warning)

    def settled_earlier(self, outcome: Outcome) -> None:
        """What became of a submission of an earlier session."""
        name = split_name(outcome.submission.name)[0]
        end = "did reach the service" if outcome.accepted else "was not submitted: the service does not know it"
        self.tell(f"{name}, sent before QGIS was closed, {end}.", Qgis.MessageLevel.Info)

    def tell_ledger_notice(self, *_: object) -> None:
        """Say once that an unreadable ledger was set aside."""
        notice = self._ledger_notice()
        if notice and notice != self._noticed:
            self._noticed = notice
            self.tell(notice, Qgis.MessageLevel.Warning)

    def _clicked(self) -> None:
        key, action = str(self.sender().property("run")), str(self.sender().property("action"))
        if action:
            self.action_asked.emit(key, action)
        else:
            self.load_asked.emit(key)


def _why(run: Run) -> str:
    """Why it ended so; what can be done about it stands in its row."""
    return sentence_of(run.message) or "Failed."
