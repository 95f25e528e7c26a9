"""A worker's context that cancels after so many looks, for tests of every moment."""

from __future__ import annotations

from up42_plugin.api.errors import Cancelled


class CancelAt:
    """Cancels at the so-manieth report, sleep or check; ``calls`` counts them."""

    def __init__(self, moment):
        self.calls, self._moment = 0, moment

    def check(self):
        self.calls += 1
        if self.calls >= self._moment:
            raise Cancelled

    def progress(self, _percent, _text=""):
        self.check()

    def sleep(self, _seconds):
        self.check()

    def on_cancel(self, _wake):
        return lambda: None
