"""How new each connection's list of jobs is, why it is not newer, and how far back it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Callable, Dict, Optional

from up42_plugin.api.errors import NetworkError
from up42_plugin.core.ledger_life import LedgerEntry
from up42_plugin.gui.jobs_foot import ListStatus
from up42_plugin.qgis_bridge.hub import HubPhase, HubState
from up42_plugin.qgis_bridge.sending import message_of

_NOT_READ = "The jobs could not be read."


@dataclass(frozen=True)
class Reach:
    """How far back a connection's jobs are known: the next page of the service, the oldest job of the ledger."""

    next_page: int = 0
    all_pages: bool = False
    oldest: Optional[LedgerEntry] = None
    ledger_more: bool = False

    @property
    def more(self) -> bool:
        """Whether there are older ones."""
        return self.ledger_more or (self.next_page > 0 and not self.all_pages)


class JobsStatus:
    """The status of the lists, by connection; ``clock`` gives the time now, aware."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._known: Dict[str, ListStatus] = {}

    def knows(self, connection_id: str) -> bool:
        """Whether anything was asked or answered."""
        return connection_id in self._known

    def of(self, connection_id: str) -> ListStatus:
        """The status of a connection's list."""
        return self._known.get(connection_id, ListStatus())

    def looking(self, connection_id: str) -> None:
        """The service is being asked."""
        self._known[connection_id] = replace(self.of(connection_id), looking=True, to_check=0)

    def updated(self, connection_id: str) -> None:
        """The service has answered."""
        self._known[connection_id] = ListStatus(updated=self._clock())

    def waits(self, connection_id: str, seconds: float) -> None:
        """It is asked again after so many seconds."""
        due = self._clock() + timedelta(seconds=seconds)
        self._known[connection_id] = replace(self.of(connection_id), next_look=due)

    def failed(self, connection_id: str, error: BaseException) -> None:
        """It has not answered, or not as it should."""
        status = replace(self.of(connection_id), looking=False, error=message_of(error))
        if isinstance(error, NetworkError):
            status = replace(status, offline_since=status.offline_since or self._clock())
        self._known[connection_id] = status

    def closed(self, connection_id: str, state: HubState, running: int, shown: bool) -> None:
        """The way to the service is not open; ``running`` jobs are to be checked once it is.

        It is opened by a click only where that asks for a password.
        """
        starting = state.phase in (HubPhase.STARTING, HubPhase.IDLE)
        self._known[connection_id] = replace(
            self.of(connection_id),
            looking=starting and shown,
            to_check=running if state.phase is HubPhase.NEEDS_SIGN_IN else 0,
            error="" if starting else state.message or _NOT_READ,
        )
