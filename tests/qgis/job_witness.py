"""Notes what a background job says."""

from __future__ import annotations

from qgis.PyQt.QtCore import QObject, QThread

WAIT_MS = 20_000


class Witness(QObject):
    """Notes every signal of a job and the thread it came in."""

    def __init__(self, job):
        super().__init__()
        self.seen = []
        self.threads = set()
        self.progress = []
        job.succeeded.connect(lambda result: self._note("succeeded", result))
        job.failed.connect(lambda error: self._note("failed", error))
        job.cancelled.connect(lambda: self._note("cancelled"))
        job.ended.connect(lambda: self._note("ended"))
        job.progressed.connect(lambda percent, text: self.progress.append((percent, text)))

    def _note(self, what, value=None):
        self.seen.append((what, value))
        self.threads.add(QThread.currentThread())

    @property
    def words(self):
        return [what for what, _ in self.seen]

    @property
    def over(self):
        return "ended" in self.words
