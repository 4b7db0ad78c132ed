"""Snippets and skeletons: what is put into a manifest is right, and leaves the rest as it was."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path as File
from typing import Any

import pytest

from ktui.manifests.check import check
from ktui.manifests.definitions import Definitions, read_definitions
from ktui.manifests.problems import Path, Problem
from ktui.manifests.reading import read
from ktui.manifests.schema import schema_of
from ktui.manifests.skeletons import SKELETONS, skeleton
from ktui.manifests.snippets import SNIPPETS, Edit, Snippet, insertion, offered, pod_spec

DOCUMENTS = File(__file__).parent / "golden" / "openapi"

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: web:1
      env: []   # none yet
      volumeMounts: [{name: logs, mountPath: /logs}]
      args:
        - |
          first
          # this is no comment
    # the other one
    - {name: other, image: other:1}
  volumes:
    - name: logs
      emptyDir: {}
    # that is all
"""
CONTAINER: Path = ("spec", "containers", 0)


@cache
def definitions(name: str) -> Definitions:
    return read_definitions((DOCUMENTS / f"{name}.json").read_bytes())


def problems(text: str) -> list[Problem]:
    """What is wrong with a text, and with its first document where its kind's schema is recorded."""
    reading = read(text)
    document = reading.documents[0]
    kind = document.value["kind"]
    schema = schema_of(definitions("apps_v1"), "apps", "v1", kind) or schema_of(definitions("api_v1"), "", "v1", kind)
    return [*reading.problems, *(check(document, schema) if schema else [])]


def applied(text: str, edits: Sequence[Edit]) -> str:
    lines = text.split("\n")
    for edit in reversed(edits):
        lines[edit.row : edit.row + edit.removed] = edit.lines
    return "\n".join(lines)


def put(snippet: Snippet, text: str, path: Path) -> str:
    return applied(text, insertion(snippet, text.split("\n"), read(text).documents[0], path))


def called(title: str) -> Snippet:
    return next(snippet for snippet in SNIPPETS if snippet.title == title)


def value(text: str) -> Any:
    return read(text).documents[0].value


def places(kind: str) -> list[Path]:
    """At the top of an object, and in its container."""
    spec = pod_spec(kind)
    return [()] if spec is None else [(), (*spec, "containers", 0, "image")]


PLACES = [(kind, path, snippet) for kind in SKELETONS for path in places(kind) for snippet in offered(kind, path)]


@pytest.mark.parametrize("kind", SKELETONS)
def test_a_skeleton_is_a_whole_manifest(kind: str) -> None:
    """It can be read, and nothing is missing; a namespace is put in where one is wanted."""
    text = skeleton(kind, namespace="shop")
    assert not problems(text)
    assert value(text)["metadata"] == {"name": "my-app", "namespace": "shop"}


def test_a_skeleton_of_a_kind_that_nobody_knows() -> None:
    """What every object has; also where a group has a kind of a known name."""
    assert value(skeleton("Lamp", "example.com/v1")) == {
        "apiVersion": "example.com/v1", "kind": "Lamp", "metadata": {"name": "my-app"}, "spec": {},
    }  # fmt: skip
    assert value(skeleton("Service", "serving.knative.dev/v1"))["spec"] == {}


@pytest.mark.parametrize(("kind", "path", "snippet"), PLACES, ids=lambda each: getattr(each, "title", None))
def test_every_snippet_in_every_place(kind: str, path: Path, snippet: Snippet) -> None:
    """Nothing is wrong afterwards, what was there is still there, and what is to be changed first can be found."""
    before = skeleton(kind)
    edits = insertion(snippet, before.split("\n"), read(before).documents[0], path)
    after = applied(before, edits)
    assert edits
    assert not problems(after)
    assert contains(value(after), value(before))
    assert any(snippet.select in line for edit in edits for line in edit.lines)


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], inner) for key, inner in part.items())
    if isinstance(part, list):
        return len(whole) >= len(part) and all(map(contains, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize(
    "title", ["volume from config map", "environment variable", "resources", "liveness probe, HTTP"]
)
def test_a_snippet_finds_its_place_in_any_style(title: str, index: int) -> None:
    """Comments, flow style, empty lists and texts that look like comments: only the lines that must change do."""
    after = put(called(title), POD, ("spec", "containers", index))
    assert not problems(after)
    assert contains(value(after)["spec"]["volumes"], value(POD)["spec"]["volumes"])
    for line in ("    # the other one", "    # that is all", "          # this is no comment"):
        assert line in after.split("\n")
    assert value(after)["spec"]["containers"][0]["args"] == ["first\n# this is no comment\n"]


def test_names_that_are_taken() -> None:
    """The same volume twice has two names, and each mount has that of its own."""
    twice = put(called("volume, empty"), put(called("volume, empty"), POD, CONTAINER), CONTAINER)
    names = [volume["name"] for volume in value(twice)["spec"]["volumes"]]
    mounts = [mount["name"] for mount in value(twice)["spec"]["containers"][0]["volumeMounts"]]
    assert names == mounts == ["logs", "scratch", "scratch-2"]


def test_what_is_there_is_not_put_in_again() -> None:
    """Fields that a person has set stay, and a second time there is nothing to do."""
    text = POD.replace("      image: web:1\n", "      image: web:1\n      resources:\n        limits: {cpu: 1}\n")
    once = put(called("resources"), text, CONTAINER)
    assert value(once)["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": 1, "memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"},
    }  # fmt: skip
    assert put(called("resources"), once, CONTAINER) == once


def test_no_snippet_goes_into_json() -> None:
    """An object that is written as JSON stays JSON."""
    text = '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": "b"}]}}'
    assert put(called("resources"), text, CONTAINER) == text


def test_what_is_offered_fits() -> None:
    """Containers get what containers have; who has no pods gets nothing of them."""
    inside = {snippet.title for snippet in offered("Deployment", ("spec", "template", "spec", "containers", 0, "env"))}
    beside = {snippet.title for snippet in offered("Deployment", ("spec", "template", "spec"))}
    first = {snippet.title for snippet in offered("Pod", ("spec", "initContainers", 0))}
    assert {"liveness probe, HTTP", "toleration", "rolling update"} <= inside
    assert "toleration" in beside
    assert "liveness probe, HTTP" not in beside | first
    assert not offered("ConfigMap", ("data",))
