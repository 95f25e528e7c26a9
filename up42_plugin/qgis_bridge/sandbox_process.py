"""The sandbox as a child process of QGIS: started when it is wanted, shared between windows, ended with the plugin."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional
from urllib.parse import urlsplit

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, pyqtSignal
from qgis.PyQt.QtNetwork import QAbstractSocket, QNetworkProxy, QTcpSocket

from up42_plugin.qgis_bridge.interpreter import qgis_python
from up42_plugin.resources import package_parent

#: Job clocks run this much faster than the real service's.
SPEED = 20
#: The sandbox's way to say that another process serves the same data folder.
EXIT_TAKEN = 3
LOCK_FILE = "sandbox.lock"
#: What the sandbox must tell about itself once it serves.
REQUIRED = ("base_url", "project_id", "project_api_key")

COULD_NOT_START = "The sandbox could not start. Show Log"
STOPPED = "The sandbox has stopped."

READY_WITHIN_MS = 60_000
END_WITHIN_MS = 2_000
ANSWER_WITHIN_MS = 2_000
#: How often to see whether another window's sandbox is still there.
WATCH_EVERY_MS = 3_000
#: A sandbox that is just starting or just ending holds the folder without serving: wait for it this often.
RETRY_AFTER_MS = 500
MOST_RETRIES = 20
#: The end of what the sandbox wrote to its error stream is kept, at most so much.
KEPT_ERROR_BYTES = 8_000


def sandbox_data_dir() -> Path:
    """Return the folder of the sandbox's data in the current profile of QGIS."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "up42" / "sandbox"


class SandboxProcess(QObject):
    """Starts and stops the sandbox. Main thread only; nothing here waits for it, but :meth:`stop` for a moment.

    One process serves a data folder. When another QGIS window has one there, that one is used, and when it has gone
    this window starts its own: ``started`` is then emitted again, with another address.

    Signals:
        started(dict): it serves; ``base_url``, ``project_id``, ``project_api_key`` and what else it tells of itself.
        failed(str, str): it could not start or has stopped; a sentence for the person, and detail for the log.
    """

    started = pyqtSignal(object)
    failed = pyqtSignal(str, str)

    def __init__(
        self,
        data_dir: Path,
        find_python: Callable[[], str] = qgis_python,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._data_dir, self._find_python = data_dir, find_python
        self._process: Optional[QProcess] = None
        self._probe: Optional[_Probe] = None
        self._info: Optional[Dict[str, Any]] = None
        self._output, self._errors = b"", b""
        self._retries = 0
        self._timeout = self._timer(READY_WITHIN_MS, self._took_too_long)
        self._retry = self._timer(RETRY_AFTER_MS, self._launch)
        self._watch = self._timer(WATCH_EVERY_MS, self._look_after_other)

    @property
    def info(self) -> Optional[Dict[str, Any]]:
        """What the sandbox told about itself; None while it does not serve."""
        return self._info

    @property
    def is_own(self) -> bool:
        """Whether the sandbox is a child of this QGIS, and not another window's."""
        return self._process is not None

    def start(self) -> None:
        """Have a sandbox: emits ``started`` or ``failed`` later, also when one serves already."""
        if self._info is not None:
            QTimer.singleShot(0, self._announce)
        elif not self._is_starting():
            self._retries = 0
            self._launch()

    def stop(self) -> bool:
        """End our own sandbox; tells whether it ended in time by itself. Another window's is left alone."""
        for timer in (self._timeout, self._retry, self._watch):
            timer.stop()
        self._drop_probe()
        self._info = None
        process, self._process = self._process, None
        return process is None or _end(process)

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer

    def _is_starting(self) -> bool:
        return self._process is not None or self._probe is not None or self._retry.isActive()

    def _announce(self) -> None:
        if self._info is not None:
            self.started.emit(dict(self._info))

    # our own process

    def _launch(self) -> None:
        self._output, self._errors = b"", b""
        try:
            python = self._find_python()
            self._data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._fail(COULD_NOT_START, str(error))
            return
        process = QProcess(self)
        process.setProcessEnvironment(_environment())
        # a module of the person's own in the current folder must not stand in for one of Python's
        process.setWorkingDirectory(str(self._data_dir))
        process.readyReadStandardOutput.connect(self._read_output)
        process.readyReadStandardError.connect(self._read_errors)
        process.errorOccurred.connect(self._process_error)
        process.finished.connect(self._process_finished)
        self._process = process
        self._timeout.start()
        process.start(python, self._arguments())

    def _arguments(self) -> List[str]:
        data_dir = str(self._data_dir)
        return ["-m", "up42_plugin.sandbox", "--exit-with-parent", "--data-dir", data_dir, "--speed", str(SPEED)]

    def _read_output(self) -> None:
        if self._process is None:
            return
        self._output += bytes(self._process.readAllStandardOutput())
        line, end, _ = self._output.partition(b"\n")
        if self._info is not None or not end:
            return
        self._timeout.stop()
        info = _parsed(line)
        if info is None:
            self._give_up(f"it said {line[:200]!r}")
            return
        self._info = info
        self._announce()

    def _read_errors(self) -> None:
        if self._process is not None:
            self._errors = (self._errors + bytes(self._process.readAllStandardError()))[-KEPT_ERROR_BYTES:]

    def _process_error(self, error: QProcess.ProcessError) -> None:
        if self._process is not None and error == QProcess.ProcessError.FailedToStart:
            text = self._process.errorString()
            self._forget_process()
            self._fail(COULD_NOT_START, text)

    def _process_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._process is None:
            return
        self._read_errors()
        self._forget_process()
        if self._info is not None:
            self._fail(STOPPED, self._detail(_ending(code, status)))
        elif status == QProcess.ExitStatus.NormalExit and code == EXIT_TAKEN:
            self._use_other()
        else:
            self._fail(COULD_NOT_START, self._detail(_ending(code, status)))

    def _took_too_long(self) -> None:
        self._give_up(f"no answer within {READY_WITHIN_MS // 1000} s")

    def _give_up(self, why: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.finished.connect(process.deleteLater)
        self._fail(COULD_NOT_START, self._detail(why))

    def _forget_process(self) -> None:
        self._timeout.stop()
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()

    def _detail(self, what: str) -> str:
        return "\n".join(part for part in (what, self._errors.decode("utf-8", "replace").strip()) if part)

    def _fail(self, message: str, detail: str) -> None:
        self._timeout.stop()
        self._info = None
        self.failed.emit(message, detail)

    # another window's process

    def _use_other(self) -> None:
        try:
            info = _parsed((self._data_dir / LOCK_FILE).read_bytes())
        except OSError:
            info = None
        if info is None:
            self._try_again()
            return
        self._ask_other(info, self._other_answers)

    def _other_answers(self, info: Dict[str, Any], answers: bool) -> None:
        if not answers:
            self._try_again()
            return
        self._retries = 0
        self._info = info
        self._watch.start()
        self._announce()

    def _look_after_other(self) -> None:
        if self._info is not None:
            self._ask_other(self._info, self._other_seen)

    def _other_seen(self, _info: Dict[str, Any], answers: bool) -> None:
        if answers:
            self._watch.start()
            return
        self._info = None
        self._retries = 0
        self._launch()

    def _try_again(self) -> None:
        self._retries += 1
        if self._retries > MOST_RETRIES:
            self._fail(COULD_NOT_START, self._detail(f"another process holds {self._data_dir} and does not answer"))
        else:
            self._retry.start()

    def _ask_other(self, info: Dict[str, Any], then: Callable[[Dict[str, Any], bool], None]) -> None:
        self._drop_probe()

        def answered(answers: bool) -> None:
            self._drop_probe()
            then(info, answers)

        self._probe = _Probe(str(info["base_url"]), answered, self)

    def _drop_probe(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.close()


class _Probe(QObject):
    """Finds out whether something listens at an address, and says so once."""

    def __init__(self, address: str, answered: Callable[[bool], None], parent: QObject) -> None:
        super().__init__(parent)
        self._answered: Optional[Callable[[bool], None]] = answered
        self._socket = QTcpSocket(self)
        self._socket.setProxy(QNetworkProxy(QNetworkProxy.ProxyType.NoProxy))
        self._socket.stateChanged.connect(self._changed)
        self._timeout = QTimer(self)
        self._timeout.setSingleShot(True)
        self._timeout.timeout.connect(self._too_late)
        self._timeout.start(ANSWER_WITHIN_MS)
        parts = urlsplit(address)
        self._socket.connectToHost(parts.hostname or "", parts.port or 80)

    def close(self) -> None:
        """Say nothing more."""
        self._answered = None
        self._timeout.stop()
        self._socket.abort()
        self.deleteLater()

    def _changed(self, state: QAbstractSocket.SocketState) -> None:
        if state == QAbstractSocket.SocketState.ConnectedState:
            self._say(True)
        elif state == QAbstractSocket.SocketState.UnconnectedState:
            self._say(False)

    def _too_late(self) -> None:
        self._say(False)

    def _say(self, answers: bool) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(answers)


def _environment() -> QProcessEnvironment:
    environment = QProcessEnvironment.systemEnvironment()
    # behind what is there already: an installed plugin stands among others, whose names must not hide a library
    paths = [path for path in environment.value("PYTHONPATH", "").split(os.pathsep) if path]
    environment.insert("PYTHONPATH", os.pathsep.join([*paths, str(package_parent())]))
    environment.insert("PYTHONIOENCODING", "utf-8")
    return environment


def _parsed(line: bytes) -> Optional[Dict[str, Any]]:
    """Return what the sandbox tells of itself; None when the line is no such thing."""
    try:
        info = json.loads(line)
    except ValueError:
        return None
    if not isinstance(info, dict) or not all(isinstance(info.get(name), str) for name in REQUIRED):
        return None
    return info


def _ending(code: int, status: QProcess.ExitStatus) -> str:
    return f"it ended with code {code}" if status == QProcess.ExitStatus.NormalExit else "it crashed"


def _end(process: QProcess) -> bool:
    """End a process: politely, and after a moment by force."""
    process.blockSignals(True)
    process.closeWriteChannel()
    process.terminate()
    in_time = process.state() == QProcess.ProcessState.NotRunning or process.waitForFinished(END_WITHIN_MS)
    if not in_time:
        process.kill()
        process.waitForFinished(END_WITHIN_MS)
    process.deleteLater()
    return bool(in_time)
