"""Recipes: what a job asks for, kept without its area and without any secret; and copies for a terminal."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest

from tests.job_samples import chain
from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.core.curl import curl_command
from up42_plugin.core.job_form import JobForm
from up42_plugin.core.json_text import parse
from up42_plugin.core.recipes import Recipe, RecipeError, is_recipe, without_secrets

DATA = "aws-s2-l2a:1"


@pytest.fixture
def form() -> JobForm:
    return JobForm.defaults(chain(), GeometricFilter.CONTAINS).with_values(DATA, {"max_cloud_cover": 7, "own": [1]})


def test_a_recipe_brings_the_form_back(form):
    recipe = Recipe.from_json(parse(Recipe.of("clear", form).text()).value)
    assert recipe.name == "clear"
    assert recipe.form(JobForm.defaults(form.workflow)) == form


def test_what_a_recipe_lacks_is_at_its_default(form):
    value = Recipe.of("clear", form).to_json()
    del value["parameters"][DATA]["limit"]
    assert Recipe.from_json(value).form(form).parameters[DATA]["limit"] == 1


def test_a_recipe_holds_no_area_and_no_secret(form):
    secret = "s3cr3t-value"
    form = form.with_values(
        DATA,
        {
            "api_key": secret,
            "accessToken-token": secret,
            "nested": [{"password": secret, "kept": 1}],
            "geojson_url": f"https://storage.example.org/a.json?X-Goog-Signature={secret}",
            "login": f"https://me:{secret}@example.org/",
            "jwt": f"eyJhbGciOi.{secret}.x",
            "key": "value",
        },
    )
    text = Recipe.of("r", form).text()
    assert secret not in text
    kept = Recipe.from_json(json.loads(text)).parameters[DATA]
    assert kept["nested"] == [{"kept": 1}]
    assert kept["geojson_url"] is None
    assert kept["key"] == "value"
    assert not {"intersects", "contains", "bbox"} & set(kept)


def test_plain_values_are_no_secrets(form):
    values = {"osm_tags": ["key=value"], "prefix": "a/b?x=1", "tokens_of_class": 3}
    assert without_secrets({"osm_tags": ["key=value"], "prefix": "a/b?x=1"}) == {
        name: values[name] for name in ("osm_tags", "prefix")
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value.pop("up42_recipe"), "not a recipe"),
        (lambda value: value.update(up42_recipe=2), "newer version"),
        (lambda value: value.update(blocks=None), "no blocks"),
        (lambda value: value.update(parameters=[]), "no parameters"),
        (lambda value: value.update(parameters={"a": 1}), "no parameters"),
        (lambda value: value.update(filter="near"), "no geometric filter"),
        (lambda value: value.update(blocks=["ndvi"]), "is for the blocks ndvi"),
    ],
)
def test_what_is_no_recipe_for_this_workflow_is_refused(form, change, words):
    value = Recipe.of("r", form).to_json()
    change(value)
    with pytest.raises(RecipeError, match=words):
        Recipe.from_json(value).form(form)


def test_other_json_is_no_recipe():
    assert not is_recipe([])
    assert not is_recipe({DATA: {}})


def test_a_curl_command_survives_a_shell_and_has_no_token():
    body = {DATA: {"note": 'it\'s $HOME `x` "q"', "limit": 1}}
    command = curl_command("https://api.example.org/projects/p/workflows/w/jobs", body)
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:4] == ["curl", "--request", "POST", "https://api.example.org/projects/p/workflows/w/jobs"]
    assert json.loads(words[words.index("--data-binary") + 1]) == body
    assert "Authorization: Bearer $UP42_ACCESS" in words
    shown = subprocess.run(  # the shell's own word on the quoting
        ["/bin/sh", "-c", command.replace("curl ", "printf '%s\\n' ", 1)],
        capture_output=True,
        text=True,
        check=True,
        env={"UP42_ACCESS": "mine"},
    ).stdout
    assert json.dumps(body, ensure_ascii=False) in shown
    assert "Authorization: Bearer mine" in shown
