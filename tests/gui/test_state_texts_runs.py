"""Rows of runs: what each says when it does not go well, and the button beside it that does something about it."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QPushButton

from tests.staged_provider import scene, task
from up42_plugin.api.errors import NotFoundError, OutcomeUnknownError, QuotaError, ServerError
from up42_plugin.core.output_errors import DamagedArchiveError, DiskFullError, HostileArchiveError, NoLayerError
from up42_plugin.core.run import Phase
from up42_plugin.core.storage import OutputFolders
from up42_plugin.gui.confirm_dialog import ConfirmDialog
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.gui.logs_dialog import LogsDialog
from up42_plugin.gui.options_page import PAGE_NAME
from up42_plugin.qgis_bridge import loading

N = "\u00a0"
LOST = OutcomeUnknownError("No answer.", "reset")
NOT_KNOWN = "Not submitted: the service does not know this job."
GIGA = 10**9


@pytest.fixture
def kit(desk_kit):
    return desk_kit


def line(kit, run):
    return kit.line(run)


def first(kit, run):
    """The text of the first button below the list."""
    return kit.row(run).first.text()


def states(kit):
    """The ledger's word on every submission, newest job first."""
    return [submission.state.value for job in kit.ledger.jobs("sandbox") for submission in job.submissions]


def begin_test(kit):
    """Click, and give the run however it goes."""
    before = set(kit.history)
    kit.click(kit.foot.test_button)
    kit.wait(lambda: set(kit.history) - before)
    (key,) = set(kit.history) - before
    return kit.run(key)


def begin_live(kit):
    """A live job that was confirmed."""
    before = set(kit.live_runs())
    dialog = kit.confirmation()
    kit.click(dialog.run_button)
    kit.wait(lambda: set(kit.live_runs()) - before)
    (key,) = set(kit.live_runs()) - before
    return kit.run(key)


def ended_live(kit, word, tasks=(), logs=""):
    """A live job that came to this end."""
    kit.tested()
    run = begin_live(kit)
    kit.wait(lambda: kit.run(run.key).job is not None)
    kit.service.answers.update(tasks=lambda _job_id: tasks, logs=logs)
    kit.service.set(kit.run(run.key).job.id, word)
    kit.wait(lambda: kit.run(run.key).job.state.terminal and not kit.run(run.key).busy)
    return run


class TestSubmission:
    def test_sending(self, kit):
        kit.ready_to_test()
        kit.service.hold("submit")
        run = begin_test(kit)
        kit.wait(lambda: kit.row(run).entry is not None)
        assert line(kit, run).startswith("Sending…")
        kit.service.let_go("submit")

    def test_checking(self, kit):
        kit.ready_to_test()
        kit.service.answers.update(submit=LOST, find=ServerError("Down.", status=503))
        run = begin_test(kit)
        expected = "No answer. Checking whether the job was sent; it is not sent twice."
        kit.wait(lambda: line(kit, run) == expected)
        kit.service.answers["find"] = None

    @pytest.fixture
    def unknown_test(self, kit):
        kit.ready_to_test()
        submit = kit.service.answers["submit"]
        kit.service.answers["submit"] = LOST
        run = begin_test(kit)
        kit.wait(lambda: kit.run(run.key).phase is Phase.NOT_SUBMITTED)
        kit.service.answers["submit"] = submit
        return run

    def test_a_test_query_that_never_arrived_is_free_to_be_sent_again(self, kit, unknown_test):
        assert line(kit, unknown_test) == NOT_KNOWN
        row = kit.row(unknown_test)
        assert row.can(JobCommand.FORGET)
        assert row.first.text() == "Submit Again…"
        kit.click(row.first)
        kit.wait(lambda: kit.row(unknown_test).entry is None)
        (key,) = set(kit.history) - {unknown_test.key}
        kit.wait(lambda: kit.run(key).job is not None)
        assert len(kit.service.jobs) == 1
        assert kit.run(key).configuration.fingerprint == unknown_test.configuration.fingerprint

    def test_it_can_be_forgotten(self, kit, unknown_test):
        kit.row(unknown_test).do(JobCommand.FORGET)
        kit.wait(lambda: kit.row(unknown_test).entry is None)
        assert kit.dock.jobs.notice_text.text() == "No jobs yet. Run a test query in New Job; it is free."

    @pytest.fixture
    def unknown_live(self, kit):
        kit.tested()
        submit = kit.service.answers["submit"]
        kit.service.answers["submit"] = LOST
        run = begin_live(kit)
        kit.wait(lambda: kit.run(run.key).phase is Phase.NOT_SUBMITTED)
        kit.service.answers["submit"] = submit
        return run

    def test_a_live_job_that_never_arrived_is_confirmed_once_more(self, kit, unknown_live):
        assert line(kit, unknown_live) == NOT_KNOWN
        kit.click(kit.row(unknown_live).first)
        kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
        dialog = kit.dialog(ConfirmDialog)
        kit.wait(dialog.run_button.isEnabled)
        assert dialog.job_name.text() == unknown_live.name
        assert len(kit.service.jobs) == 1, "only the test query"
        kit.click(dialog.run_button)
        kit.wait(lambda: len(kit.service.jobs) == 2)
        kit.wait(lambda: kit.row(unknown_live).entry is None)
        kit.wait(lambda: states(kit) == ["ACCEPTED", "NOT_SUBMITTED", "ACCEPTED"])

    def test_a_cancelled_confirmation_leaves_the_row(self, kit, unknown_live):
        kit.click(kit.row(unknown_live).first)
        kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
        kit.click(kit.dialog(ConfirmDialog).cancel_button)
        assert first(kit, unknown_live) == "Submit Again…"
        assert len(kit.service.jobs) == 1

    def test_behind_a_fresh_test_query_only(self, kit, unknown_live):
        """What was tested is forgotten: it is tested again, free, before anything is asked."""
        kit.new_job.tests.__init__()
        kit.click(kit.row(unknown_live).first)
        kit.wait(lambda: kit.told[-1] == f"{unknown_live.name}: testing again first, free.")
        kit.finish_test_queries(1)
        kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
        assert [job.mode.value for job in kit.service.jobs.values()] == ["DRY_RUN", "DRY_RUN"]

    def test_refused_for_credits(self, kit):
        kit.tested()
        kit.service.answers["submit"] = QuotaError("Not enough credits for this job.", status=403)
        run = begin_live(kit)
        kit.wait(lambda: line(kit, run) == "Not enough credits for this job.")

    def test_a_workflow_that_is_gone_is_refreshed(self, kit):
        kit.ready_to_test()
        kit.service.answers["submit"] = NotFoundError("This workflow no longer exists. Refresh.", status=404)
        run = begin_test(kit)
        kit.wait(lambda: line(kit, run) == "This workflow no longer exists.")
        assert kit.told[-1].endswith(": This workflow no longer exists.")
        read = len(kit.service.called("workflows"))
        kit.click(kit.told_action("Refresh"))
        kit.wait(lambda: len(kit.service.called("workflows")) > read)


class TestJobs:
    @pytest.mark.parametrize(
        ("log", "text", "buttons"),
        [
            ("[NO_INPUT_ERROR] No images found.", "Failed: no images found", []),
            ("Killed, out of memory", "Failed: out of memory. A smaller area may help.", []),
            ("no reason", "Failed in Super-resolution Sentinel-2.", ["Show Logs"]),
        ],
        ids=["no images", "memory", "no reason"],
    )
    def test_failed(self, kit, log, text, buttons):
        run = ended_live(kit, "FAILED", (task("FAILED"),), log)
        kit.wait(lambda: line(kit, run) == text)
        kit.wait(lambda: kit.told[-1].endswith(text))
        assert [button.text() for button in kit.iface.bar.findChildren(QPushButton, "runAction")] == buttons

    def test_cancelled(self, kit):
        run = ended_live(kit, "CANCELLED")
        kit.wait(lambda: line(kit, run).startswith("Cancelled"))

    def test_the_log_of_the_block_that_failed(self, kit):
        run = ended_live(kit, "FAILED", (task("SUCCEEDED", "aws-s2-l2a:1", "task-1"), task("FAILED")), "It broke.\nSo.")
        kit.wait(lambda: kit.told_action("Show Logs"))
        kit.click(kit.told_action("Show Logs"))
        kit.wait(lambda: kit.dialog(LogsDialog) is not None)
        dialog = kit.dialog(LogsDialog)
        kit.wait(lambda: dialog.text.toPlainText() == "It broke.\nSo.")
        assert dialog.windowTitle() == f"Logs, {run.name}"
        assert dialog.blocks.currentText() == "2  Super-resolution Sentinel-2: Failed"
        assert kit.service.called("logs")[-1][1] == "task-2"
        dialog.reject()

    def test_a_log_that_cannot_be_read(self, kit):
        run = ended_live(kit, "FAILED", (task("FAILED"),), "no reason")
        kit.wait(lambda: kit.told_action("Show Logs"))
        kit.service.answers["logs"] = ServerError("UP42 has a problem (500).", status=500)
        kit.row(run).do(JobCommand.LOGS)
        kit.wait(lambda: kit.told[-1] == "The log could not be read. UP42 has a problem (500).")
        assert kit.dialog(LogsDialog) is None


class TestOutputs:
    @pytest.fixture
    def finished(self, kit):
        run = ended_live(kit, "SUCCEEDED")
        kit.wait(lambda: kit.run(run.key).credits_charged is not None)
        return run

    def load(self, kit, run, monkeypatch, error):
        def fails(*_arguments, **_how):
            raise error

        monkeypatch.setattr(loading, "fetch_live_output", fails)
        kit.click(kit.row(run).first)
        kit.wait(lambda: kit.run(run.key).message and not kit.run(run.key).busy)

    def below_the_list(self, kit, run, text):
        """The button below the list of jobs, beside what is wrong with the selected one."""
        kit.row(run).select()
        notice = kit.dock.jobs.foot.notice
        assert notice.isVisible()
        assert kit.line(run) == notice.row.text
        assert notice.button.text() == text
        return notice.button

    def test_no_room(self, kit, finished, monkeypatch):
        self.load(kit, finished, monkeypatch, DiskFullError(int(3.1 * GIGA), int(1.2 * GIGA)))
        assert line(kit, finished) == f"3.1{N}GB needed, 1.2{N}GB free in the output folder."
        kit.click(kit.told_action("Change Folder…"))
        assert kit.iface.options_shown == [PAGE_NAME]
        assert kit.row(finished).first.isEnabled()
        kit.click(self.below_the_list(kit, finished, "Change Folder…"))
        assert kit.iface.options_shown == [PAGE_NAME, PAGE_NAME]

    def test_damaged(self, kit, finished, monkeypatch):
        self.load(kit, finished, monkeypatch, DamagedArchiveError("crc"))
        assert line(kit, finished) == "The archive is damaged."
        asked = []
        button = self.below_the_list(kit, finished, "Download Again")

        def again(*_arguments, **_how):
            asked.append(1)
            raise DamagedArchiveError("crc")

        monkeypatch.setattr(loading, "fetch_live_output", again)
        kit.click(kit.told_action("Download Again"))
        kit.wait(lambda: asked and not kit.run(finished.key).busy)
        kit.row(finished).select()
        kit.click(button)
        kit.wait(lambda: len(asked) == 2)

    def test_hostile(self, kit, finished, monkeypatch):
        self.load(kit, finished, monkeypatch, HostileArchiveError("../x"))
        assert line(kit, finished) == "The archive holds a path outside its folder and was not unpacked."
        kit.row(finished).select()
        assert not kit.dock.jobs.foot.notice.isVisible(), "nothing helps"

    def test_no_layer(self, kit, finished, monkeypatch):
        self.load(kit, finished, monkeypatch, NoLayerError())
        assert line(kit, finished) == "No layer in this output."
        opened = []
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True)
        folder = OutputFolders(kit.settings.output_folder()).output_folder(finished.name, kit.run(finished.key).job.id)
        folder.mkdir(parents=True)
        kit.click(kit.told_action("Open Folder"))
        kit.wait(lambda: opened)
        kit.click(self.below_the_list(kit, finished, "Open Folder"))
        kit.wait(lambda: len(opened) == 2)
        assert opened == [str(folder)] * 2

    def test_scenes_that_cannot_be_read_are_asked_for_again(self, kit):
        kit.ready_to_test()
        words = "UP42 has a problem (500). Nothing was charged. Try again."
        kit.service.answers["scenes"] = ServerError(words, status=500)
        run = kit.start_test_query()
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: line(kit, run) == "UP42 has a problem (500). Nothing was charged.")
        kit.service.answers["scenes"] = (scene(1),)
        kit.click(kit.told_action("Try Again"))
        (key,) = set(kit.history) - {run.key}
        kit.wait(lambda: kit.run(key).job is not None)
