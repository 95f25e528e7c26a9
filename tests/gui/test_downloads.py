"""Outputs that come down badly: each with its own message, no half folder, and another try open."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import hostile_archives
import pytest
from plugin_kit import ANALYTIC, SMALL, SPEED, idle, plugin_in, wait_for
from qgis.core import QgsProject
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.core import fetching
from up42_plugin.core.run import Phase
from up42_plugin.core.storage import remove_tree

ARTIFACTS, LINKS = "/artifacts/*", "*/downloads/results"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("bad-input") / "data", *SPEED) as running:
        yield running


@pytest.fixture(scope="module")
def shared_remote(sandbox):
    remote = Remote(sandbox)
    yield remote
    remote.close()


@pytest.fixture
def remote(shared_remote):
    """The sandbox without faults, before and after."""
    shared_remote.disarm()
    yield shared_remote
    shared_remote.disarm()


@contextmanager
def served(archive: Path, content: bytes) -> Iterator[None]:
    """Have the service give out something else as an archive, with its true checksum."""
    about = archive.with_name("output.json")
    kept = {path: path.read_bytes() for path in (archive, about)}
    sums = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
    }
    archive.write_bytes(content)
    about.write_text(json.dumps(sums), encoding="utf-8")
    try:
        yield
    finally:
        for path, data in kept.items():
            path.write_bytes(data)


@pytest.fixture(scope="class")
def finished(sandbox, shared_remote, tmp_path_factory, qgis_app):
    """A live job that succeeded, not loaded."""
    shared_remote.disarm()
    with plugin_in(tmp_path_factory.mktemp("downloads") / "plugin") as kit:
        kit.connect(sandbox)
        kit.choose(ANALYTIC)
        kit.area(SMALL)
        kit.test_query()
        yield kit, kit.live_job()
        idle()


class TestDownloads:
    @pytest.fixture(autouse=True)
    def _job(self, finished, remote, sandbox):
        self.kit, self.run = finished
        self.remote = remote
        self.files = self.kit.files()
        (self.archive,) = sandbox.data_dir.glob(f"**/{self.run.job.id}/**/output.tgz")
        yield
        # whatever happened: once all is well, the output loads
        remote.disarm()
        assert len(self.kit.load(self.run)) == 1
        QgsProject.instance().removeMapLayers([layer.id() for layer in self.kit.loaded[-1][1]])
        remove_tree(self.kit.outputs_of(self.run))

    def refused(self) -> str:
        """Click Load, and wait for what the row then says."""
        kit = self.kit
        kit.begin_load(self.run)
        wait_for(lambda: kit.runs[self.run.key].phase is Phase.FETCHING, "the begin")
        wait_for(lambda: kit.runs[self.run.key].phase is not Phase.FETCHING, "the end")
        idle()
        assert kit.files() == self.files
        assert not [layer for layer in self.kit.layers() if "analytic" in layer]
        assert kit.loadable(self.run)
        return kit.line(self.run)

    def test_cut_download_goes_on_where_it_was(self):
        size = self.archive.stat().st_size
        self.remote.arm("GET", ARTIFACTS, times=2, cut_after_bytes=size // 3)
        assert len(self.kit.load(self.run)) == 1
        assert self.remote.armed() == []

    def test_download_that_is_cut_again_and_again(self):
        self.remote.arm("GET", ARTIFACTS, times=None, cut_after_bytes=0)
        assert "interrupted" in self.refused()

    def test_expired_link_is_renewed_unseen(self):
        self.remote.arm("GET", LINKS, times=1, expire_urls=True)
        assert len(self.kit.load(self.run)) == 1
        assert self.remote.armed() == []

    def test_links_that_never_open(self):
        self.remote.arm("GET", LINKS, times=None, expire_urls=True)
        words = "The link to the output does not open, and neither does a new one. Try again later."
        assert self.refused() == words

    def test_output_that_is_gone(self):
        self.remote.arm("GET", ARTIFACTS, times=None, status=404)
        assert self.refused() == "This output no longer exists."

    def test_full_disk(self, monkeypatch):
        small = functools.partial(fetching.fetch_output, free_space=lambda _folder: 1000)
        monkeypatch.setattr(fetching, "fetch_output", small)
        line = self.refused()
        monkeypatch.undo()
        assert line.endswith("1.0\u00a0kB free in the output folder.")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (
                hostile_archives.tgz(hostile_archives.GOOD, hostile_archives.member(b"../../../evil.txt")),
                "The archive holds a path outside its folder and was not unpacked.",
            ),
            (
                hostile_archives.tgz(
                    hostile_archives.GOOD, hostile_archives.member(b"output/x", b"", b"2", link=b"/etc/passwd")
                ),
                "The archive holds a link or a device and was not unpacked.",
            ),
            (b"\x1f\x8b\x08\x00 no gzip at all", "The archive is damaged."),
        ],
        ids=["path outside", "link", "no archive"],
    )
    def test_archive_that_is_not_what_it_should_be(self, content, words):
        with served(self.archive, content):
            assert self.refused() == words
        assert not list(self.kit.folder.rglob("evil.txt"))

    def test_output_with_a_broken_description_is_downloaded_again(self):
        content = hostile_archives.tgz(hostile_archives.member(b"output/data.json", b'{"features": ['))
        with served(self.archive, content):
            self.kit.begin_load(self.run)
            words = "The description (data.json) of this output cannot be read."
            wait_for(lambda: self.kit.line(self.run) == words, "the message")

    def test_output_with_nothing_in_it(self):
        with served(self.archive, hostile_archives.tgz(hostile_archives.GOOD)):
            self.kit.begin_load(self.run)
            wait_for(lambda: self.kit.line(self.run) == "No layer in this output.", "the message")
        remove_tree(self.kit.outputs_of(self.run))
