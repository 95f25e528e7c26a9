"""What was bought before is told before it is bought again, and loaded from disk instead."""

from __future__ import annotations

from datetime import datetime

import pytest
from plugin_kit import ANALYTIC, SMALL, confirmation, idle, wait_for
from qgis.core import QgsProject

from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.storage import remove_tree

# All of it in SMALL, and more than the least a job takes
WITHIN = "Polygon ((15.2905 37.8445, 15.2975 37.8445, 15.2975 37.8495, 15.2905 37.8495, 15.2905 37.8445))"


@pytest.fixture
def kit(bare, clean_service):
    """The area was bought and loaded; then QGIS was closed and opened, with a new project."""
    bare.start()
    connection = bare.connect(clean_service.sandbox)
    bare.choose(ANALYTIC)
    bare.area(SMALL)
    bare.test_query()
    bare.load(bare.live_job())
    idle()
    bare.loaded.clear()
    bare.unload()
    QgsProject.instance().clear()
    bare.start()
    hub = bare.desk.hub
    key = bare.connect(clean_service.sandbox)
    # The same connection again, and not one more with the same key
    kept = hub._credentials.read(key)
    hub.remove(key)
    hub.sign_in(connection, kept, False)
    bare.connection = connection
    bare.wait_until_ready()
    bare.choose(ANALYTIC)
    return bare


def today():
    now = datetime.now().astimezone()
    return f"{now.day} {now:%b %Y}"


def bought(dialog):
    wait_for(lambda: not dialog.bought.isHidden() and dialog.bought.isVisible(), "the warning")
    return dialog.bought.text


def test_the_output_on_disk_is_loaded_instead_without_asking_the_service(kit, clean_service):
    kit.area(SMALL)
    kit.test_query()
    dialog = kit.dialog()
    assert bought(dialog) == f"You bought this area, block and time on {today()}; it is on disk."
    assert dialog.run_button.isEnabled()
    assert dialog.cancel_button.isDefault()
    idle()
    jobs, files = len(clean_service.jobs()), kit.files()
    (record,) = [job for job in kit.recorded() if job.agreed is not None]
    for path in (f"*/jobs/{record.submissions[0].service_job_id}*", "/artifacts/*", "*/downloads/results"):
        clean_service.arm(path_glob=path, times=100, status=500, body="nothing to be had")
    before = clean_service.armed()
    kit.click(dialog.load_button)
    wait_for(lambda: [run for run, _ in kit.loaded if run.live], "the layers", of=kit.situation)
    idle()
    assert clean_service.armed() == before  # nobody asked for the job or its output
    clean_service.disarm()
    assert confirmation() is None
    assert len(clean_service.jobs()) == jobs
    assert kit.files() == files
    run, layers = kit.loaded[-1]
    assert all(layer.isValid() for layer in layers)
    assert run.credits_charged
    assert run.configuration.workflow.steps[0].block.id
    kit.loaded.clear()


def test_an_area_within_it_was_bought_too(kit):
    kit.area(WITHIN)
    kit.test_query()
    dialog = kit.dialog()
    assert bought(dialog).endswith("it is on disk.")
    assert dialog.load_button.isVisible()


def test_what_is_no_longer_on_disk_is_told_without_the_button(kit):
    (record,) = [job for job in kit.recorded() if job.agreed is not None]
    (submission,) = record.submissions
    ledger = Ledger(kit.folder / "profile" / "ledger.sqlite")
    (output,) = LedgerOutputs(ledger).outputs(kit.connection.id, submission.service_job_id)
    remove_tree(output.folder)
    kit.area(SMALL)
    kit.test_query()
    dialog = kit.dialog()
    assert bought(dialog) == f"You bought this area, block and time on {today()}."
    assert not dialog.load_button.isVisible()
    (output,) = LedgerOutputs(ledger).outputs(kit.connection.id, submission.service_job_id)
    assert output.deleted is not None


def test_another_area_was_not_bought(kit):
    kit.area("Polygon ((15.3100 37.8440, 15.3180 37.8440, 15.3180 37.8500, 15.3100 37.8500, 15.3100 37.8440))")
    kit.test_query()
    dialog = kit.dialog()
    idle()
    assert not dialog.bought.isVisible()
    assert not dialog.load_button.isVisible()
