"""The kinds of rows in the tree of jobs, and what has to be removed and inserted to make one list another."""

from __future__ import annotations

from enum import Enum
from typing import AbstractSet, List, Sequence, Tuple


class Kind(Enum):
    """What a row of the tree is."""

    SECTION = "section"
    JOB = "job"
    TASK = "task"
    READING = "reading"  # stands where the blocks of a job will be
    MORE = "more"  # stands for jobs of a section that are known and not shown yet
    OLDER = "older"  # stands for jobs that the service has not been asked for


class Older(Enum):
    """Whether the service has older jobs than those in the list."""

    NONE = ""
    MORE = "Load older jobs"
    LOADING = "Loading older jobs…"


def removals(rows: Sequence[str], wanted: AbstractSet[str]) -> List[Tuple[int, int]]:
    """First and last row of each run of rows that are not wanted, from the bottom up."""
    found: List[Tuple[int, int]] = []
    for row in range(len(rows) - 1, -1, -1):
        if rows[row] in wanted:
            continue
        if found and found[-1][0] == row + 1:
            found[-1] = (row, found[-1][1])
        else:
            found.append((row, row))
    return found


def runs_of_new(rows: Sequence[str], target: Sequence[str]) -> List[Tuple[int, List[str]]]:
    """Where to insert which keys, in turn, so that ``rows`` becomes ``target``; what is there is in the same order."""
    there = set(rows)
    found: List[Tuple[int, List[str]]] = []
    for row, key in enumerate(target):
        if key in there:
            continue
        if found and found[-1][0] + len(found[-1][1]) == row:
            found[-1][1].append(key)
        else:
            found.append((row, [key]))
    return found
