"""The account's credits (section 7 of the service's contract)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Iterator, Mapping, Optional, Tuple

from up42_plugin.api.calls import Call
from up42_plugin.api.classic.envelope import record_of
from up42_plugin.api.fields import Record
from up42_plugin.api.transport import Transport

PAGE_SIZE = 500


@dataclass(frozen=True)
class CreditEntry:
    """One change of the balance; ``delta`` is negative for what was spent. ``consumption`` is left as it came."""

    type: str
    created: Optional[datetime]
    delta: int
    description: str
    consumption: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, record: Record) -> CreditEntry:
        details = Record(record.mapping("details"), record.at("details"))
        return cls(
            type=record.text("type"),
            created=record.time_or_none("createdAt"),
            delta=record.integer("delta"),
            description=details.text_or("description"),
            consumption=details.mapping("consumption"),
        )


@dataclass(frozen=True)
class CreditPage:
    """One page of the credit history; ``last`` when there are no more."""

    entries: Tuple[CreditEntry, ...]
    last: bool


class Credits:
    """Calls about the account's credits."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def balance(self) -> int:
        """Credits left."""
        return record_of(self._transport.json(Call("GET", "/accounts/me/credits/balance"))).integer("balance")

    def history_page(self, start: date, end: date, page: int = 0, size: int = PAGE_SIZE) -> CreditPage:
        """One page of what changed the balance between two days."""
        query = (
            ("from", start.isoformat()),
            ("to", end.isoformat()),
            ("page", str(page)),
            ("size", str(size)),
            ("sort", "createdAt,desc"),
        )
        record = record_of(self._transport.json(Call("GET", "/accounts/me/credits/history", query=query)))
        entries = record.records("content", CreditEntry.read)
        pages = record.number_or("totalPages")
        last = record.flag("last")
        if last is None:
            last = pages is None or page + 1 >= pages
        return CreditPage(entries, last or not entries)

    def history(self, start: date, end: date) -> Iterator[CreditEntry]:
        """Everything that changed the balance between two days, page after page."""
        page = 0
        while True:
            found = self.history_page(start, end, page)
            yield from found.entries
            if found.last:
                return
            page += 1
