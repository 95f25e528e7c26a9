"""What survives the end of the process, however it comes."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile

import pytest
from sandbox_process import sandbox_command, sandbox_environment, start_sandbox
from service_kit import (
    AWS,
    SUPERRESOLUTION,
    SUPERRESOLUTION_WORKFLOW,
    Gate,
    default_runners,
    processing_runner,
    published_input,
    running_service,
    wait_for,
)

from up42_plugin.sandbox.store import Store


def test_unfinished_job_goes_on_from_its_clock(tmp_path):
    with running_service(tmp_path, speed=8) as service:
        job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
        service.reaches(job_id, "RUNNING")
        task_id = service.tasks(job_id)[0]["id"]
        wait_for(lambda: service.services.jobs.tasks(job_id)[0].elapsed > 5)
        first_updated = service.tasks(job_id)[0]["updatedAt"]
    with running_service(tmp_path, speed=1) as service:
        before = service.services.jobs.tasks(job_id)[0]
        assert (before.id, before.status) == (task_id, "RUNNING")
        assert 5 < before.elapsed < before.planned
        now = wait_for(lambda: _moved_on(service, job_id, before.elapsed))
        assert before.elapsed < now.elapsed < before.elapsed + 20
        assert service.tasks(job_id)[0]["updatedAt"] == first_updated
    with running_service(tmp_path) as service:
        job = service.ended(job_id)
        assert job["status"] == "SUCCEEDED"
        assert service.tasks(job_id)[0]["id"] == task_id


def test_block_that_was_cut_off_runs_again_and_finished_ones_do_not(tmp_path):
    runs = []

    def counting(task):
        runs.append(task.name)
        return default_runners()[AWS](task)

    gate = Gate()
    with running_service(tmp_path, {AWS: counting, SUPERRESOLUTION: gate}) as service:
        job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
        assert gate.entered.wait(30)
    with running_service(tmp_path, {AWS: counting, SUPERRESOLUTION: processing_runner}) as service:
        assert service.ended(job_id)["status"] == "SUCCEEDED"
        url = service.get(f"jobs/{job_id}/downloads/results")["url"]
        with tarfile.open(fileobj=io.BytesIO(service.session.get(url, timeout=30).content)) as archive:
            names = archive.getnames()
    assert runs == ["aws-s2-l2a:1"]
    assert sorted(names) == ["output", "output/data.json", "output/result.tif"]


def _moved_on(service, job_id, elapsed):
    task = service.services.jobs.tasks(job_id)[0]
    return task if task.elapsed != elapsed else None


def test_block_that_is_through_does_not_run_again_when_its_clock_goes_on(tmp_path):
    runs = []

    def counting(task):
        runs.append(task.name)
        return default_runners()[AWS](task)

    runners = {**default_runners(), AWS: counting}
    with running_service(tmp_path, runners, speed=8) as service:
        job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
        wait_for(lambda: service.services.jobs.tasks(job_id)[0].usage)
        assert service.tasks(job_id)[0]["status"] == "RUNNING"
    with running_service(tmp_path, runners) as service:
        assert service.ended(job_id)["status"] == "SUCCEEDED"
    assert runs == ["aws-s2-l2a:1"]


def test_tasks_that_succeeded_are_left_alone_by_a_restart(tmp_path):
    gate = Gate()
    with running_service(tmp_path, {**default_runners(), SUPERRESOLUTION: gate}) as service:
        job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
        assert gate.entered.wait(30)
        first = service.tasks(job_id)[0]
    with running_service(tmp_path) as service:
        service.ended(job_id)
        assert service.tasks(job_id)[0] == first


def test_transaction_that_fails_leaves_nothing(tmp_path):
    store = Store(tmp_path / "store.sqlite")

    def fail():
        with store.transaction():
            store.set_meta("name", "value")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.meta("name") is None
    store.set_meta("name", "other")
    assert store.meta("name") == "other"
    store.close()


def test_cancelling_job_ends_after_a_restart(tmp_path):
    gate = Gate()
    with running_service(tmp_path, {**default_runners(), AWS: gate}, speed=0.01) as service:
        job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
        service.call("POST", f"jobs/{job_id}/cancel")
        assert service.get(f"jobs/{job_id}")["status"] == "CANCELLING"
    with running_service(tmp_path) as service:
        assert service.ended(job_id)["status"] == "CANCELLED"
        assert service.balance() == 10_000


def test_key_token_and_workflows_outlive_a_restart(tmp_path):
    with running_service(tmp_path) as service:
        first, headers = service.entrance, service.headers
    with running_service(tmp_path) as service:
        assert service.entrance.project_id == first.project_id
        assert service.entrance.project_api_key == first.project_api_key
        assert service.entrance.workflows == first.workflows
        assert service.session.get(service.project_url, headers=headers, timeout=30).status_code == 200


def test_two_data_folders_do_not_take_each_others_keys_and_tokens(tmp_path):
    with running_service(tmp_path / "a") as one, running_service(tmp_path / "b") as other:
        answer = other.session.get(other.project_url, headers=one.headers, timeout=30)
        assert answer.status_code == 401
        assert one.entrance.project_id != other.entrance.project_id


def test_process_prints_one_line_and_ends_as_told(tmp_path):
    with start_sandbox(tmp_path / "data") as running:
        entrance = json.loads(running.line)
        assert list(entrance) == ["base_url", "project_id", "project_api_key", "username", "password", "workflows"]
        assert running.base_url.startswith("http://127.0.0.1:")
        assert len(running.workflows) == 6
        running.process.terminate()
        assert running.process.wait(30) == 0
        assert running.process.stdout.read() == b""
    assert (tmp_path / "data.stderr").read_bytes() == b""


def test_second_process_on_a_folder_refuses_and_names_the_first(tmp_path):
    with start_sandbox(tmp_path / "data") as running:
        assert (tmp_path / "data" / "sandbox.lock").read_text(encoding="utf-8") == running.line
        second = subprocess.run(
            sandbox_command(tmp_path / "data"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
            env=sandbox_environment(),
        )
        assert second.returncode == 3
        assert running.base_url in second.stderr
        assert second.stdout == ""
        assert running.process.poll() is None
    assert (tmp_path / "data" / "sandbox.lock").read_text(encoding="utf-8") == ""


def test_lock_of_a_dead_process_is_taken_over(tmp_path):
    first = start_sandbox(tmp_path / "data")
    first.kill()
    assert (tmp_path / "data" / "sandbox.lock").read_text(encoding="utf-8") == first.line
    with start_sandbox(tmp_path / "data") as second:
        assert second.project_id == first.project_id
        assert second.base_url != ""


def test_successor_waits_for_an_ending_process(tmp_path):
    with start_sandbox(tmp_path / "data") as first:
        first.process.terminate()
        with start_sandbox(tmp_path / "data") as second:
            assert second.project_id == first.project_id


def test_process_ends_with_its_parent_only_when_asked_to(tmp_path):
    with start_sandbox(tmp_path / "a", "--exit-with-parent", stdin=subprocess.PIPE) as running:
        assert running.process.poll() is None
        running.process.stdin.close()
        assert running.process.wait(30) == 0
    with start_sandbox(tmp_path / "b", stdin=subprocess.PIPE) as running:
        running.process.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(1.5)


def test_wrong_arguments_are_told(tmp_path):
    for arguments in (["--speed", "0"], ["--speed", "x"], ["--nonsense"]):
        result = subprocess.run(
            sandbox_command(tmp_path / "data", *arguments),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=sandbox_environment(),
        )
        assert result.returncode == 2
        assert result.stdout == ""


def test_port_in_use_is_told(tmp_path):
    with start_sandbox(tmp_path / "a") as running:
        port = running.base_url.rpartition(":")[2]
        result = subprocess.run(
            sandbox_command(tmp_path / "b", "--port", port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=sandbox_environment(),
        )
        assert result.returncode == 1
        assert "cannot serve" in result.stderr


def test_temporary_data_folder_is_gone_afterwards(tmp_path):
    command = [part for part in sandbox_command(tmp_path) if part not in ("--data-dir", str(tmp_path))]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**sandbox_environment(), "TMPDIR": str(tmp_path)},
    )
    with process:
        assert json.loads(process.stdout.readline())["project_id"]
        assert len(list(tmp_path.iterdir())) == 1
        process.terminate()
        assert process.wait(30) == 0
    assert list(tmp_path.iterdir()) == []
