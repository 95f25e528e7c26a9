"""From a job that succeeded to plans of layers, and what is known of one that ended."""

from __future__ import annotations

import pytest

from tests.job_samples import SR_TASK, chain
from tests.staged_provider import StagedProvider, job, scene, task
from up42_plugin.api.errors import AnswerError, Cancelled, NetworkError, NotFoundError, ServerError
from up42_plugin.core import fetching
from up42_plugin.core.aftermath import Aftermath, aftermath
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.jobs import Mode
from up42_plugin.core.output_errors import ManifestError
from up42_plugin.core.service import Output
from up42_plugin.core.unpack import RECEIPT

DOWN = NetworkError("No answer.")
BROKEN = ServerError("UP42 has a problem (500).", status=500)
STEP = chain().steps[-1]


@pytest.fixture
def provider():
    return StagedProvider()


@pytest.fixture
def told():
    return []


@pytest.fixture
def context(told):
    return ThreadContext(lambda percent, text: told.append((percent, text)))


def read_test_query(provider, folder, context):
    with provider.open(context) as service:
        return fetching.fetch_test_query(service, "job-1", folder, context)


class TestTestQueries:
    def test_no_scenes_is_a_result(self, provider, tmp_path, context):
        provider.answers["scenes"] = ()
        finds = read_test_query(provider, tmp_path, context)
        assert finds == fetching.TestQueryFinds((), ())
        assert list(tmp_path.iterdir()) == []

    def test_scenes_without_quicklooks_have_footprints(self, provider, tmp_path, context):
        provider.answers["scenes"] = (scene(1), scene(2))
        finds = read_test_query(provider, tmp_path, context)
        assert [found.scene_id for found in finds.scenes] == ["S2B_MSIL2A_1", "S2B_MSIL2A_2"]
        assert [plan.title for plan in finds.plans] == ["Scene footprints"]

    @pytest.mark.parametrize("error", [NotFoundError("None.", status=404), BROKEN, AnswerError("Odd.")])
    def test_a_quicklook_that_the_service_cannot_give_is_left_out(self, provider, tmp_path, context, error):
        provider.answers["scenes"] = (scene(1), scene(2))
        provider.answers["quicklook"] = [error, None]
        assert len(read_test_query(provider, tmp_path, context).scenes) == 2
        assert len(provider.called("quicklook")) == 2

    def test_when_the_network_goes_the_scenes_are_kept_and_no_more_is_asked(self, provider, tmp_path, context):
        provider.answers["scenes"] = tuple(scene(number) for number in range(1, 10))
        provider.answers["quicklook"] = DOWN
        assert len(read_test_query(provider, tmp_path, context).scenes) == 9
        assert len(provider.called("quicklook")) == 1

    def test_scenes_that_cannot_be_read_are_an_error(self, provider, tmp_path, context):
        provider.answers["scenes"] = DOWN
        with pytest.raises(NetworkError):
            read_test_query(provider, tmp_path, context)

    def test_cancelling_between_quicklooks_leaves_nothing(self, provider, tmp_path, context):
        provider.answers["scenes"] = (scene(1), scene(2))
        provider.answers["quicklook"] = lambda _scene: context.cancel()
        with pytest.raises(Cancelled):
            read_test_query(provider, tmp_path / "quicklooks", context)
        assert len(provider.called("quicklook")) == 1
        assert not (tmp_path / "quicklooks").exists()

    def test_progress_goes_up_and_says_what_is_done(self, provider, tmp_path, context, told):
        provider.answers["scenes"] = (scene(1), scene(2))
        read_test_query(provider, tmp_path, context)
        assert told[0] == (-1, "Reading scenes")
        assert [text for _, text in told[1:3]] == ["Loading quicklooks, 1 of 2", "Loading quicklooks, 2 of 2"]
        percents = [percent for percent, _ in told[1:]]
        assert percents == sorted(percents)
        assert percents[-1] == 100


class Downloads:
    """Stands in for the transfer, which has tests of its own: makes the folder with a description."""

    def __init__(self, text='{"type": "FeatureCollection", "features": []}'):
        self.text = text
        self.count = 0

    def __call__(self, source, folder, context, **_how):
        self.count += 1
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data.json").write_text(self.text)


class TestLiveOutputs:
    @pytest.fixture
    def downloads(self, monkeypatch, provider):
        provider.answers["open_output"] = "a source"
        downloads = Downloads()
        monkeypatch.setattr(fetching, "fetch_output", downloads)
        return downloads

    def fetch(self, provider, folder, context):
        with provider.open(context) as service:
            return fetching.fetch_live_output(service, Output("job-1"), STEP, folder, context)

    def test_an_output_is_downloaded_once(self, provider, downloads, tmp_path, context):
        self.fetch(provider, tmp_path / "final", context)
        self.fetch(provider, tmp_path / "final", context)
        assert downloads.count == 1

    def test_one_without_a_description_is_downloaded_once_too(self, provider, downloads, tmp_path, context):
        self.fetch(provider, tmp_path / "final", context)
        (tmp_path / "final" / "data.json").rename(tmp_path / "final" / RECEIPT)
        self.fetch(provider, tmp_path / "final", context)
        assert downloads.count == 1

    def test_one_whose_description_was_spoilt_is_fetched_anew(self, provider, downloads, tmp_path, context):
        self.fetch(provider, tmp_path / "final", context)
        (tmp_path / "final" / "data.json").write_text("{")
        assert self.fetch(provider, tmp_path / "final", context) == ()
        assert downloads.count == 2

    def test_one_that_comes_unreadable_is_an_error_after_one_download(self, provider, downloads, tmp_path, context):
        downloads.text = "{"
        with pytest.raises(ManifestError):
            self.fetch(provider, tmp_path / "final", context)
        assert downloads.count == 1


class TestAftermath:
    def of(self, provider, ended):
        with provider.open(ThreadContext()) as service:
            return aftermath(service, ended, {SR_TASK: "Super-resolution Sentinel-2"})

    def test_a_live_job_that_succeeded_tells_its_credits(self, provider):
        assert self.of(provider, job("SUCCEEDED")) == Aftermath(19, "")
        assert [name for name, _ in provider.calls] == ["credits"]

    def test_nobody_is_asked_for_the_credits_of_a_test_query(self, provider):
        assert self.of(provider, job("CANCELLED", mode=Mode.TEST_QUERY)) == Aftermath()
        assert provider.calls == []

    @pytest.mark.parametrize("word", ["FAILED", "ERROR"])
    def test_a_failed_one_tells_why(self, provider, word):
        provider.answers["tasks"] = (task("SUCCEEDED", "aws-s2-l2a:1", "task-1"), task(word))
        provider.answers["logs"] = "x - ERROR - [NO_INPUT_ERROR] No images found."
        assert self.of(provider, job(word)) == Aftermath(19, "Failed: no images found")
        assert provider.called("logs") == [("job-1", "task-2")]

    @pytest.mark.parametrize(
        ("answers", "expected"),
        [
            ({"credits": DOWN}, Aftermath(None, "Failed in Super-resolution Sentinel-2.")),
            ({"logs": BROKEN}, Aftermath(19, "Failed in Super-resolution Sentinel-2.")),
            ({"tasks": DOWN}, Aftermath(19, "Failed.")),
            ({"tasks": ()}, Aftermath(19, "Failed.")),
        ],
    )
    def test_what_cannot_be_read_leaves_the_rest(self, provider, answers, expected):
        provider.answers["tasks"] = (task("FAILED"),)
        provider.answers.update(answers)
        assert self.of(provider, job("FAILED")) == expected

    @pytest.mark.parametrize("call", ["credits", "tasks", "logs"])
    def test_cancelling_ends_it(self, provider, call):
        provider.answers["tasks"] = (task("FAILED"),)
        provider.answers[call] = Cancelled()
        with pytest.raises(Cancelled):
            self.of(provider, job("FAILED"))
