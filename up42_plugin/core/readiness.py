"""Which of the two ways to run are open, and why not: one reason at a time, the first that must be mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

from up42_plugin.core.aoi import AOI
from up42_plugin.core.freshness import NOT_TESTED
from up42_plugin.core.service import Balance
from up42_plugin.core.workflow import Workflow


@dataclass(frozen=True)
class Situation:
    """Everything the answer depends on.

    ``connection_trouble`` says why there is no service yet. ``text_trouble`` is what is
    wrong in the JSON view, where that is open. ``area_needed`` is off when the geometries are typed: the validation
    speaks for them. ``area_trouble`` is what is wrong with the area itself.
    ``test_problems`` and ``live_problems`` are sentences of the validation for each mode. ``tested`` says that a fresh
    test query of this very configuration found ``scenes``; ``test_verdict`` is the sentence about it either way.
    ``over_limit`` says which of the person's own limits the price exceeds, ``slots_taken`` which jobs run already when
    the project runs no more at once. ``notice`` is told before what is only still to be done: why there is no price, or
    what the service is waited for.
    """

    connection_trouble: str = ""
    text_trouble: str = ""
    area_needed: bool = True
    area_trouble: str = ""
    aoi: Optional[AOI] = None
    workflow: Optional[Workflow] = None
    test_problems: Sequence[str] = ()
    live_problems: Sequence[str] = ()
    tested: bool = False
    test_verdict: str = ""
    balance: Optional[Balance] = None
    running: bool = False
    over_limit: str = ""
    notice: str = ""
    slots_taken: str = ""


@dataclass(frozen=True)
class Readiness:
    """``reason`` is the line above the buttons; ``problem`` when it is something to mend.

    ``test_reason`` says why a test query is not possible, where that is something else. ``can_queue`` when a live job
    has to wait for nothing but a free slot.
    """

    can_test: bool
    can_run_live: bool
    reason: str
    problem: bool
    test_reason: str = ""
    can_queue: bool = False


def readiness(situation: Situation) -> Readiness:
    """Decide. A live job needs a fresh test query wherever the data block offers one."""
    blocked = _blocks_both(situation)
    if blocked:
        return Readiness(False, False, blocked[0], blocked[1])
    if situation.running:
        return Readiness(False, False, "A test query is running.", False)
    workflow = situation.workflow
    testable = workflow is not None and workflow.testable
    why_no_test = "" if testable else _UNTESTABLE
    live = _blocks_live(situation, testable)
    if live and (live[1] or not situation.notice):
        return Readiness(testable, False, live[0], live[1], why_no_test)
    if live:
        return Readiness(testable, False, f"{situation.notice} {live[0]}", True, why_no_test)
    if situation.slots_taken:
        return Readiness(testable, False, situation.slots_taken, False, why_no_test, can_queue=True)
    fine = situation.test_verdict if testable else _UNTESTABLE
    return Readiness(testable, True, situation.notice or fine, bool(situation.notice), why_no_test)


_UNTESTABLE = "This block offers no test query; its live jobs cannot be tried first."


def _blocks_both(situation: Situation) -> Optional[Tuple[str, bool]]:
    """What stands in the way of both, and whether it is a problem rather than something still to come."""
    if situation.connection_trouble:
        # "Starting the sandbox…", "Loading workflows…": it is being done
        return situation.connection_trouble, not situation.connection_trouble.endswith("…")
    if situation.text_trouble:
        return situation.text_trouble, True
    if situation.area_trouble:
        return f"Mend the area first: {_lower_first(situation.area_trouble)}", True
    if situation.aoi is None and situation.area_needed:
        return "Choose an area first.", False
    if situation.workflow is None:
        return "Choose a workflow first.", False
    return (_listed(situation.test_problems), True) if situation.test_problems else None


def _blocks_live(situation: Situation, testable: bool) -> Optional[Tuple[str, bool]]:
    only_live = [text for text in situation.live_problems if text not in situation.test_problems]
    if only_live:
        return f"Live job: {_lower_first(_listed(only_live))}", True
    balance = situation.balance
    if balance is not None and balance.credits < balance.floor:
        return f"Balance too low: UP42 asks for at least {balance.floor:,}\u00a0credits.", True
    if testable and not situation.tested:
        verdict = situation.test_verdict or NOT_TESTED
        return verdict, verdict != NOT_TESTED
    return (situation.over_limit, True) if situation.over_limit else None


def _listed(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    more = len(problems) - 1
    return problems[0] if not more else f"{problems[0]} (and {more} more)"


def _lower_first(text: str) -> str:
    """A sentence going on after a colon; words that are names or abbreviations keep their capital."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
