"""`ktui diff` shows what applying would change, and changes nothing."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# ruff: noqa: F401, F811 - pytest finds fixtures by their names
from tests.unit.command_line import Done, Shop, ktui, logging_kept, shop

Diff = Callable[..., Done]


@pytest.fixture
def diff(ktui: Callable[..., Done], shop: Shop) -> Diff:
    """Runs `ktui diff` on the embedded cluster."""
    return lambda *words: ktui("diff", "--kubeconfig", shop.kubeconfig, *words)


@pytest.fixture
def live(ktui: Callable[..., Done], shop: Shop) -> Callable[..., Any]:
    """An object as the server has it."""

    def get(kind: str, name: str) -> Any:
        return json.loads(ktui("get", "--kubeconfig", shop.kubeconfig, kind, name, "-n", "shop", "-o", "json").out)

    return get


def written(folder: Path, *items: Any, name: str = "a.yaml") -> Path:
    """Objects as the documents of a file."""
    file = folder / name
    file.write_text("---\n".join(item if isinstance(item, str) else json.dumps(item) + "\n" for item in items))
    return file


def deployment(**spec: Any) -> dict[str, Any]:
    """Some fields of the storefront."""
    meta = {"name": "storefront", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def config_map(**meta: str) -> dict[str, Any]:
    """A config map without data."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def changed(done: Done) -> list[str]:
    """The lines that differ."""
    return [line for line in done.out.splitlines() if line[:1] in "+-" and line[:4] not in ("+++ ", "--- ")]


def test_what_is_there_already_is_no_difference(diff: Diff, live: Callable[..., Any], tmp_path: Path) -> None:
    item = live("deployment", "storefront")
    file = written(tmp_path, deployment(replicas=item["spec"]["replicas"]))
    assert diff(file) == Done(0, "", "")


def test_what_would_change_is_a_unified_difference(diff: Diff, live: Callable[..., Any], tmp_path: Path) -> None:
    """Of the fields that the manifest names; what the server alone writes is not shown, and nothing is changed."""
    before = live("deployment", "storefront")
    done = diff(written(tmp_path, deployment(replicas=17)))
    assert done.code == 1
    assert done.err == ""
    assert done.out.splitlines()[:2] == [
        "--- LIVE/apps.v1.Deployment.shop.storefront",
        "+++ MERGED/apps.v1.Deployment.shop.storefront",
    ]
    assert changed(done) == [f"-  replicas: {before['spec']['replicas']}", "+  replicas: 17"]
    assert " spec:" in done.out.splitlines()
    assert live("deployment", "storefront")["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_what_is_not_there_is_new_as_a_whole(diff: Diff, tmp_path: Path) -> None:
    """Files, folders and standard input; the namespace of -n is that of objects which name none."""
    written(tmp_path, {**config_map(name="fresh"), "data": {"a": "1"}})
    done = diff(tmp_path, "-n", "shop")
    assert done.code == 1
    assert done.out.splitlines()[:3] == [
        "--- LIVE/v1.ConfigMap.shop.fresh",
        "+++ MERGED/v1.ConfigMap.shop.fresh",
        "@@ -0,0 +1,7 @@",
    ]
    assert {line[0] for line in done.out.splitlines()[3:]} == {"+"}
    assert "uid" not in done.out


def test_several_documents_are_told_in_their_order(diff: Diff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}} for name in "abc"
    ]
    text = "\n---\n".join([json.dumps(maps[0]), json.dumps({"apiVersion": "v1", "kind": "List", "items": maps[1:]})])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    done = diff("-")
    assert [line[-1] for line in done.out.splitlines() if line.startswith("+++")] == ["a", "b", "c"]


def test_values_of_secrets_stay_masked(diff: Diff, tmp_path: Path, shop: Shop) -> None:
    """Only that they differ is told."""
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "new", "namespace": "shop"}}
    values = {"stringData": {"word": "tell-nobody"}}
    done = diff(written(tmp_path, {**item, **values}))
    assert done.code == 1
    assert "+  word: •••••••• (11 bytes)" in done.out.splitlines()
    assert "tell-nobody" not in done.out
    assert base64.b64encode(b"tell-nobody").decode() not in done.out


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"apiVersion": "x.io/v1", "kind": "Widget", "metadata": {"name": "w"}}, 'No matches for kind "Widget"'),
        (config_map(name="a", namespace="no"), 'namespaces "no" not found'),
        (config_map(generateName="a-"), "without a name cannot be compared"),
        (config_map(), "metadata.name is not set"),
        ("a: [\n", "a value is missing"),
    ],
)
def test_what_cannot_be_found_out_is_said_and_the_rest_compared(
    diff: Diff, tmp_path: Path, item: Any, said: str
) -> None:
    done = diff(written(tmp_path, item), written(tmp_path, deployment(replicas=17), name="b.yaml"))
    assert done.code == 2
    assert done.err.startswith(f"{tmp_path}/a.yaml:")
    assert said in done.err
    assert "+  replicas: 17" in changed(done)


def test_a_refusal_is_at_its_lines(diff: Diff, tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: shop\ndata:\n  a b: x\n"
    done = diff(written(tmp_path, text))
    assert done.code == 2
    assert done.err.startswith(f"{tmp_path}/a.yaml:7:3: error: data[a b]: Invalid value")


def test_what_needs_what_the_files_themselves_make_is_shown_as_written(diff: Diff, tmp_path: Path) -> None:
    """A dry run leaves nothing behind, so that nothing can be put into a namespace that it made."""
    names = {"plural": "widgets", "kind": "Widget"}
    file = written(
        tmp_path,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}},
        config_map(name="a", namespace="fresh"),
        {"apiVersion": "x.io/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}},
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
         "metadata": {"name": "widgets.x.io"},
         "spec": {"group": "x.io", "names": names, "scope": "Namespaced",
                  "versions": [{"name": "v1", "served": True, "storage": True,
                                "schema": {"openAPIV3Schema": {"type": "object"}}}]}},
    )  # fmt: skip
    done = diff(file)
    assert done.code == 1, done.err
    assert [line for line in done.err.splitlines() if line] == [
        "ktui: ConfigMap fresh/a is shown as it is written: "
        "its namespace fresh is made by these files and not there yet.",
        "ktui: Widget w is shown as it is written: its kind is defined by these files and not served yet.",
    ]
    assert "+  size: 1" in done.out


def test_without_a_server_it_fails(ktui: Callable[..., Done], tmp_path: Path) -> None:
    file = written(tmp_path, deployment(replicas=17))
    done = ktui("diff", "--kubeconfig", tmp_path / "none", file)
    assert done.code == 2
    assert done.err.startswith("ktui: ")


def test_colours_are_for_terminals(diff: Diff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "shop"},
        "data": {"x": "\x1b[5m"},
    }
    file = written(tmp_path, item)
    assert "\x1b" not in diff(file).out
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    out = diff(file).out
    assert "\x1b[32m+data:\x1b[m" in out
    assert "\x1b[5m" not in out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in diff(file).out
