"""The one job that is to be brought before the person's eyes as soon as the list has it."""

from __future__ import annotations

from typing import Callable, Optional

from up42_plugin.core.job_list import JobList
from up42_plugin.core.service import ServiceProvider
from up42_plugin.gui.jobs_tab import JobsTab
from up42_plugin.qgis_bridge.jobs_reader import JobsReader


class WantedJob:
    """Waits for its job; one that is older than what was read of the list is read by itself."""

    def __init__(
        self,
        jobs: JobList,
        tab: JobsTab,
        reader: JobsReader,
        provider_of: Callable[[str], Optional[ServiceProvider]],
    ) -> None:
        self._jobs, self._tab, self._reader, self._provider_of = jobs, tab, reader, provider_of
        self._connection_id = self._job_id = ""

    def want(self, connection_id: str, job_id: str) -> None:
        """Show this job, and no other any more."""
        self._connection_id, self._job_id = connection_id, job_id
        self.fetch()

    def fetch(self) -> None:
        """Ask for the job where it is not known yet."""
        provider = self._provider_of(self._connection_id) if self._job_id else None
        if provider is not None and self._jobs.find(self._connection_id, self._job_id) is None:
            self._reader.read_blocks(provider, self._job_id, self._jobs.block_titles)

    def show(self, connection_id: str) -> None:
        """Select it, once, where the list of its connection shows it."""
        if not self._job_id or connection_id != self._connection_id:
            return
        entry = self._jobs.find(connection_id, self._job_id)
        if entry is not None and self._tab.select_job(entry.key):
            self.forget()

    def forget(self) -> None:
        """Wait for nothing any more."""
        self._connection_id = self._job_id = ""
