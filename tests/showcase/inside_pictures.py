"""Runs inside QGIS Desktop: brings the dock from state to state, takes a picture of each, and out."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import List, Optional

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QObject, QTimer
from qgis.PyQt.QtWidgets import QApplication, QDialog
from qgis.utils import iface, plugins

sys.path.insert(0, os.environ["UP42_PICTURES_CODE"])

from picture_hands import Hands, Steps, UnreachableError, Wait
from picture_states import STATES, begin

EACH_MS = 50


class Photographer(QObject):
    """Goes through the states; each waits for what it needs without ever holding up the window."""

    def __init__(self, hands: Hands, report: Path) -> None:
        super().__init__(iface.mainWindow())
        self._hands, self._report = hands, report
        self._states = iter(STATES)
        self._name = "the beginning"
        self._steps: Steps = begin(hands)
        self._wait: Optional[Wait] = None
        self._since = time.monotonic()
        self._problems: List[str] = []
        self._timer = QTimer(self)
        self._timer.setInterval(EACH_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Begin; ends by leaving QGIS."""
        if QgsApplication.themeName() != os.environ["UP42_PICTURES_THEME"]:
            self._problems.append(f"QGIS shows its theme {QgsApplication.themeName()}.")
            self._finish()
            return
        self._timer.start()

    def _look(self) -> None:
        try:
            if self._wait is not None and not self._wait.until():
                self._be_impatient(self._wait)
                return
            self._wait = next(self._steps)
            self._since = time.monotonic()
        except StopIteration:
            self._next_state()
        except Exception:
            self._miss(traceback.format_exc())

    def _be_impatient(self, wait: Wait) -> None:
        if time.monotonic() - self._since > wait.within_s:
            raise UnreachableError(f"waited {wait.within_s:.0f} s for {wait.what}; {self._hands.situation}")

    def _miss(self, why: str) -> None:
        """This state was not reached: keep why, and try the others, so that all that is wrong is told at once."""
        QApplication.primaryScreen().grabWindow(0).save(str(self._report.with_name(f"{self._name}.png")))
        self._problems.append(f"{self._name} could not be reached.\n{why}")
        _close_dialogs()
        self._next_state()

    def _next_state(self) -> None:
        self._wait = None
        state = next(self._states, None)
        if state is None:
            self._finish()
            return
        self._name = state.name
        self._steps = state.steps(self._hands)

    def _finish(self) -> None:
        self._timer.stop()
        report = {"problems": self._problems, "log": self._hands.log}
        self._report.write_text(json.dumps(report, indent=2), encoding="utf-8")
        _close_dialogs()
        QTimer.singleShot(0, self._leave)

    def _leave(self) -> None:
        QgsProject.instance().clear()
        QgsProject.instance().setDirty(False)
        iface.actionExit().trigger()


def _close_dialogs() -> None:
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QDialog) and widget.isVisible():
            widget.reject()


def start() -> None:
    """Once QGIS stands."""
    report = Path(os.environ["UP42_PICTURES_REPORT"])
    try:
        plugin = plugins.get("up42_plugin")
        desk = plugin.desk if plugin is not None else None
        service = json.loads(os.environ["UP42_PICTURES_SERVICE"])
        hands = Hands(iface, desk, service, Path(os.environ["UP42_PICTURES_FOLDER"]))
        Photographer(hands, report).start()
    except Exception:
        report.write_text(json.dumps({"problems": [traceback.format_exc()], "log": []}), encoding="utf-8")
        os._exit(1)  # whatever dialog QGIS shows about it


QTimer.singleShot(1000, start)
