"""What a plugin may leave behind, counted."""

from __future__ import annotations

import gc
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Set

from plugin_kit import ANALYTIC, SMALL, PluginKit, idle, turn
from qgis.core import QgsApplication
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QThreadPool, QTimer
from qgis.PyQt.QtWidgets import QAction, QApplication, QDockWidget, QToolBar
from remote_service import Remote
from strict_interface import StrictInterface

ENDS_WITHIN_S = 30


def children() -> List[int]:
    """The processes that this one has started and that have not ended."""
    found: List[int] = []
    for task in Path("/proc/self/task").iterdir():
        found += [int(number) for number in (task / "children").read_text().split()]
    return sorted(found)


def our_threads() -> Set[str]:
    """Python's threads by name, without those of Qt that have run some Python."""
    return {thread.name for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)}


def temporary() -> List[str]:
    """What is in the temporary folder of this test; QGIS keeps something of the project there."""
    names = sorted(path.name for path in Path(tempfile.gettempdir()).iterdir())
    return [name for name in names if not name.startswith("QGIS3")]


def objects() -> List[Any]:
    """Living Python objects; of Qt's those that still stand."""
    gc.collect()
    found = []
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, QObject) and not sip.isdeleted(thing):
            found.append(thing)
    return found


def ours() -> Dict[int, str]:
    """The plugin's own objects that live, by identity, with their classes."""
    found = (thing for thing in objects() if type(thing).__module__.startswith("up42_plugin."))
    return {id(thing): type(thing).__name__ for thing in found}


def ticking() -> int:
    """How many of Python's timers run."""
    return sum(isinstance(thing, QTimer) and thing.isActive() for thing in objects())


def standing(interface: StrictInterface) -> Dict[str, Any]:
    """Everything that a plugin may leave behind, counted."""
    idle()
    window = interface.window
    return {
        "actions": len(window.findChildren(QAction)),
        "docks": len(window.findChildren(QDockWidget)),
        "tool bars": len(window.findChildren(QToolBar)),
        "tool bar icons": len(interface.tools.actions()),
        "menu entries": len(interface.menus),
        "children of the window": len(window.findChildren(QObject)),
        "on the map": len(interface.canvas.scene().items()),
        "threads": sorted(our_threads()),
        "pool": QThreadPool.globalInstance().activeThreadCount(),
        "processes": children(),
        "temporary files": temporary(),
        "tasks": QgsApplication.taskManager().count(),
        "timers": ticking(),
        "objects": ours(),
        "windows": len([widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]),
    }


def gone(kit: PluginKit, before: Dict[str, Any], ends: List[bool]) -> None:
    """Unload, and see that all is as it was before, and that nothing had to be ended by force."""
    kit.unload()
    assert ends
    assert all(ends)
    as_before(kit.iface, before)


def as_before(interface: StrictInterface, before: Dict[str, Any]) -> None:
    """Wait until all that stood, and nothing else, stands again; some of it ends a moment later."""
    end = time.monotonic() + ENDS_WITHIN_S
    while True:
        now = standing(interface)
        # Objects of earlier tests may go meanwhile; none may have come.
        come = sorted(kind for key, kind in now.pop("objects").items() if key not in before["objects"])
        left = {what: (before[what], count) for what, count in now.items() if count != before[what]}
        if come:
            left["objects"] = ([], come)
        if not left:
            return
        assert time.monotonic() < end, f"left behind, as (before, now): {left}"
        turn()


def opened(kit: PluginKit, service: Remote, workflow: str = ANALYTIC, wkt: str = SMALL) -> None:
    kit.connect(service.sandbox)
    kit.choose(workflow)
    kit.area(wkt)
