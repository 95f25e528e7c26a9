"""A QGIS of its own with the plugin loaded, without a desktop: one of several windows on a profile.

The profile is that of the environment, and the ledger is the plugin's there. Without names it does what the order says:
it settles what its ledger has open, as a new window does, and has one job, or dies of it. With names it starts a live
job for each of them once it is given a line, says "ended" when all have ended, and at a second line what was told in
its message bar. usage: window_process.py ORDER [NAME ...]
"""

from __future__ import annotations

import functools
import json
import select
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(folder) for folder in (TESTS.parent, TESTS, TESTS / "sandbox", TESTS / "showcase")]

from dying_ledger import Death, DyingLedger, say  # noqa: E402 - found by the line above
from headless import HeadlessInterface, start_qgis, wait_for  # noqa: E402
from soak_kit import CONNECTION, PRICE, Account, Order, submissions_of, waits  # noqa: E402

from up42_plugin import plugin as plugin_module  # noqa: E402
from up42_plugin.core.connections import Connection, ConnectionKind, ProjectKey  # noqa: E402
from up42_plugin.core.jobs import Mode  # noqa: E402
from up42_plugin.core.ledger import Ledger  # noqa: E402
from up42_plugin.core.monitoring import Pace  # noqa: E402
from up42_plugin.core.run import Phase  # noqa: E402
from up42_plugin.core.submission import Submitter  # noqa: E402
from up42_plugin.qgis_bridge import hub as hub_module  # noqa: E402
from up42_plugin.qgis_bridge import settling  # noqa: E402
from up42_plugin.qgis_bridge.log import PanelLog  # noqa: E402
from up42_plugin.qgis_bridge.settings import PluginSettings  # noqa: E402

STARTS_WITHIN_S, ENDS_WITHIN_S = 60, 200


class Window:
    """The plugin, connected as always in this profile."""

    def __init__(self, order):
        self.order = order
        path = Path(order.ledger)
        assert path == plugin_module._profile_folder() / path.name, "the ledger is another profile's"
        self.ledger = Ledger(path)
        self.configuration = Account(order.entrance).configuration
        self.told, self.runs, self.ended = [], {}, []
        self.iface = HeadlessInterface()
        self.iface.bar.widgetAdded.connect(lambda item: self.told.append(item.text()))
        self.plugin = plugin_module.Up42Plugin(self.iface)
        self._prepare()
        self.plugin.initGui()
        self.plugin.desk.runs.changed.connect(self._changed)
        self.plugin.desk.runs.ended.connect(lambda run: self.ended.append(run.name))
        self._connect()

    def _prepare(self):
        """Have the plugin wait less than with people, and die as the order says."""
        if self.order.death:
            plugin_module.Ledger = functools.partial(DyingLedger, death=Death(self.order.death))
        plugin_module.Submitter = functools.partial(Submitter, waits=waits(self.order.patience_s))
        plugin_module.Settler = functools.partial(settling.Settler, first_pause_ms=200)
        settling.LONGEST_PAUSE_MS = 2000
        hub_module._PACES = dict.fromkeys(ConnectionKind, Pace(0.3, 1.0))

    def _connect(self):
        """The connection keeps its id from one window to the next; its key is typed anew each time."""
        way = self.order.entrance
        settings = PluginSettings(PanelLog())
        connection = Connection(CONNECTION, "Account", ConnectionKind.CLASSIC, way.address, way.project_id)
        settings.save_connections([connection])
        self.plugin.desk.dock.setUserVisible(True)
        self.plugin.desk.hub.sign_in(connection, ProjectKey(way.project_id, way.project_api_key), keep=False)
        wait_for(lambda: self._provider() is not None, "the connection", STARTS_WITHIN_S)

    def _provider(self):
        return self.plugin.desk.hub.provider_of(CONNECTION)

    def _changed(self, run):
        self.runs[run.key] = run

    def start(self, name):
        """Start a live job; the run's key."""
        return self.plugin.desk.runs.start(self._provider(), self.configuration, Mode.LIVE, name, PRICE)

    def have_job(self, name):
        """What a person does: start it, and again only when it certainly was not submitted. Returns the job's id."""
        while True:
            self._wait(lambda: all(one.state.settled for one in submissions_of(self.ledger, name)), "known ends")
            found = [one.service_job_id for one in submissions_of(self.ledger, name) if one.service_job_id]
            if found:
                return found[0]
            key = self.start(name)
            self._wait(lambda: self.runs[key].job is not None or self._refused(key), "the end of sending")  # noqa: B023

    def _refused(self, key):
        return self.runs[key].phase is Phase.NOT_SUBMITTED

    def have_jobs(self, names):
        """Start jobs of all these names, and follow them until all have ended."""
        for name in names:
            self.start(name)
        self._wait(lambda: set(names) <= set(self.ended), "the ends of all jobs")

    def follow(self, until):
        """Stay open."""
        self._wait(until, "being told to close")

    def _wait(self, condition, what):
        wait_for(condition, what, ENDS_WITHIN_S)

    def close(self):
        """Close the window as a person does."""
        self.plugin.unload()
        self.iface.close()


def told_to_go_on():
    """Whether there is a line to read; it is taken."""
    return bool(select.select([sys.stdin], [], [], 0)[0]) and bool(sys.stdin.readline())


def main(order, names):
    application = start_qgis()
    window = Window(order)
    say("ready")
    if names:
        window.follow(told_to_go_on)
        window.have_jobs(names)
        say("ended")
        window.follow(told_to_go_on)
        say(json.dumps({"told": window.told, "ended": window.ended}))
    else:
        say(window.have_job(order.name))
        if order.death:
            window.follow(lambda: False)
    window.close()
    del window
    application.exitQgis()


if __name__ == "__main__":
    main(Order.from_json(sys.argv[1]), sys.argv[2:])
