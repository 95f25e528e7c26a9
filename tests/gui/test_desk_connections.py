"""Switching connections, signing in, and answers for a connection that is no longer the current one."""

from __future__ import annotations

import pytest

from tests.job_samples import SENTINEL, SUPER_RESOLUTION, workflow_of
from tests.staged_connections import ENTRANCE, KEY
from up42_plugin.api.errors import NetworkError, OutcomeUnknownError, TooManyJobsError
from up42_plugin.core.run import Phase
from up42_plugin.core.service import Balance
from up42_plugin.gui import desk as desk_module

DOWN = NetworkError("No answer from api.example.org within 30 s.")
LOST = OutcomeUnknownError("No answer.")
BUSY = TooManyJobsError("This project runs as many jobs as it may.", status=429)


@pytest.fixture
def kit(desk_kit):
    return desk_kit


class TestSwitchingConnections:
    def test_nothing_of_the_other_connection_stays(self, kit):
        kit.tested()
        kit.services["account"].hold("project")
        kit.services["account"].answers["balance"] = Balance(840, 1_000)
        kit.hub.choose("account")
        assert kit.dock.workflow.current is None
        assert kit.new_job.limits.max_scenes is None
        assert kit.foot.estimation.text() == "Not available"
        assert kit.dock.search.scene.count() == 1
        assert kit.reason() == "Loading workflows…"
        kit.services["account"].let_go("project")
        kit.wait(lambda: "840" in kit.dock.header.balance_text)
        kit.wait(lambda: kit.reason().startswith("Balance too low"))
        kit.hub.choose("sandbox")
        kit.wait(lambda: kit.new_job.ready.can_run_live)
        assert kit.dock.search.scene.count() == 2

    def test_a_running_test_query_goes_on_where_it_belongs(self, kit):
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.hub.choose("account")
        kit.wait(lambda: kit.new_job.ready.can_test)  # the other connection's form is free
        assert kit.foot._busy.isHidden()
        kit.services["sandbox"].set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.run(run.key).phase is Phase.LOADED)
        assert kit.reason() == "Live job: run the free test query first."
        assert kit.dock.search.scene.count() == 1
        kit.hub.choose("sandbox")
        kit.wait(lambda: kit.new_job.ready.can_run_live)
        assert kit.dock.search.scene.count() == 2

    def test_coming_back_finds_it_still_running(self, kit):
        kit.ready_to_test()
        kit.start_test_query()
        kit.hub.choose("account")
        kit.wait(lambda: kit.new_job.ready.can_test)
        kit.hub.choose("sandbox")
        assert not kit.foot._busy.isHidden()
        kit.click(kit.foot.cancel_button)
        kit.wait(kit.foot._busy.isHidden)

    @pytest.mark.parametrize("call", ["project", "balance"])
    @pytest.mark.parametrize("answer", [DOWN, None])
    def test_answers_for_the_other_connection_come_too_late(self, kit, call, answer):
        kit.services["account"].hold(call)
        if answer is not None:
            kit.services["account"].answers[call] = answer
        kit.open()
        kit.select()
        kit.hub.choose("account")
        kit.wait(lambda: kit.services["account"].called(call))
        kit.credentials.locked = True
        kit.hub._providers.pop("guest", None)
        kit.hub.choose("guest")
        assert kit.foot.again_button.text() == "Sign In"
        reason = kit.reason()
        kit.services["account"].let_go(call)
        kit.idle()
        assert kit.reason() == reason
        assert kit.dock.workflow.combo.currentText() == "No connection"
        assert kit.dock.header.balance_text == "Balance not available"

    def test_reloading_the_project_keeps_the_form_and_the_test(self, kit):
        kit.tested()
        kit.click(kit.dock.header.refresh_button)
        assert kit.dock.workflow.current is not None
        kit.wait(lambda: len(kit.service.called("project")) == 2)
        kit.wait(lambda: kit.new_job.ready.can_run_live)

    def test_a_sandbox_that_stops_and_comes_back_keeps_the_workflow(self, kit):
        chains = {name: workflow_of(SENTINEL, SUPER_RESOLUTION, workflow_id=name, name=name) for name in ("a", "b")}
        kit.service.answers.update(workflows=tuple(chains.values()), workflow=chains.get)
        kit.open()
        kit.dock.workflow.combo.setCurrentIndex(1)
        kit.sandbox.failed.emit("The sandbox stopped.", "")
        assert kit.reason() == "The sandbox stopped."
        kit.click(kit.foot.again_button)
        kit.sandbox.started.emit(ENTRANCE)
        kit.wait(lambda: kit.dock.workflow.current is not None)
        assert kit.dock.workflow.current.id == "b"


class TestKeys:
    def test_a_key_that_is_not_kept_is_asked_for_and_opens_the_connection(self, kit):
        kit.open()
        kit.hub.choose("guest")
        dialog = kit.dialog()
        assert dialog.windowTitle() == "Sign In"
        assert not dialog.name.isEnabled()
        dialog.key.setText(KEY.api_key)
        kit.click(dialog.ok_button)
        kit.wait(lambda: kit.dock.workflow.current is not None)
        assert kit.credentials.keys["guest"] == KEY

    def test_declining_leaves_a_button_to_sign_in(self, kit):
        kit.open()
        kit.hub.choose("guest")
        kit.dialog().reject()
        assert kit.reason() == "Not signed in to Guest."
        assert kit.foot.again_button.text() == "Sign In"
        kit.click(kit.foot.again_button)
        assert kit.dialog() is not None

    def test_a_key_that_cannot_be_kept_loses_nothing_typed(self, kit):
        kit.open()
        kit.dock.header.add_asked.emit()
        dialog = kit.dialog()
        dialog.name.setText("Forest")
        dialog.project_id.setText("p-2")
        dialog.key.setText("word")
        kit.credentials.refuses = desk_module.Up42Error("QGIS could not write the key.")
        kit.click(dialog.ok_button)
        assert dialog.isVisible()
        assert dialog.problem.text == "QGIS could not write the key."
        kit.credentials.refuses = None
        kit.click(dialog.ok_button)
        assert kit.hub.current.name == "Forest"
