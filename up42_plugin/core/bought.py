"""What was bought before, as it is told and offered before the same is bought again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Optional

from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_bought import BoughtBefore, bought_before
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.resumed import resumed_run
from up42_plugin.core.run import Run


@dataclass(frozen=True)
class Bought:
    """A live job that brought the same images; ``when`` it was submitted, in UTC.

    ``folder`` is where its output is on disk, and ``run`` what loads it from there; both None when it is not there.
    """

    when: datetime
    folder: Optional[Path] = None
    run: Optional[Run] = None


def read_bought(ledger: Ledger, connection_id: str, configuration: JobConfiguration) -> Optional[Bought]:
    """The newest purchase of the same images whose output is on disk, else the newest.

    Looks at the disk: what is gone from there is noted. Reads files: for workers only. Raises ``LedgerError``.
    """
    found = bought_before(ledger, connection_id, configuration)
    for bought in found:
        folder = _folder(bought)
        if folder is None:
            _note_gone(ledger, bought)
        entry = LedgerLife(ledger).entry(bought.job.id) if folder is not None else None
        if entry is not None:
            run = resumed_run(entry, bought.job, configuration.workflow, ledger.now())
            return Bought(bought.job.created, folder, replace(run, resumed=None))
    return Bought(found[0].job.created) if found else None


def _folder(bought: BoughtBefore) -> Optional[Path]:
    whole = (output.folder for output in bought.on_disk if not output.task_id)
    return next((folder for folder in whole if (folder / "data.json").is_file()), None)


def _note_gone(ledger: Ledger, bought: BoughtBefore) -> None:
    for submission in bought.job.submissions:
        LedgerOutputs(ledger).note_gone(bought.job.connection_id, submission.service_job_id)
