"""Manifests say what the API said, and hide what is secret."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.manifest import LAST_APPLIED, MASK, manifest, to_yaml

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def secret(**fields: Any) -> dict[str, Any]:
    """A Secret with some values."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "annotations": {LAST_APPLIED: '{"data":{"password":"Y2FuYXJ5"}}', "team": "blue"}},
        "data": {"password": base64.b64encode(b"canary").decode(), "key": base64.b64encode(b"\xff\xfe").decode()},
        "type": "Opaque",
        **fields,
    }


@given(json_values)
def test_yaml_reads_back_as_what_was_written(value: Any) -> None:
    """Whatever JSON an object consists of, its YAML means the same."""
    assert yaml.safe_load(to_yaml(value)) == value


@given(st.text(alphabet=st.sampled_from("a \t\n😀\ue000\ue001é:#-|>'\""), max_size=30))
def test_lines_tabs_and_emoji_read_back(text: str) -> None:
    """Blocks with tabs, emoji and private characters lose nothing."""
    assert yaml.safe_load(to_yaml({"key": text}))["key"] == text


@pytest.mark.parametrize(
    "word", ["1e3", "12345e6", "0o17", "0x1F", "1_000", "017", "+5", ".5", "y", "N", "on", "null", "12:30:00"]
)
def test_strings_that_look_like_other_values_are_quoted(word: str) -> None:
    """What Go's YAML reader would take for a number or a boolean is quoted, as kubectl quotes it."""
    assert to_yaml({"sha": word}) == f'sha: "{word}"\n'


def test_text_of_several_lines_is_a_block() -> None:
    """A file in a ConfigMap reads as a file, with its tabs and emoji."""
    assert (
        to_yaml({"nginx.conf": "server {\n\tlisten 80; # 😀\n}\n"})
        == "nginx.conf: |\n  server {\n  \tlisten 80; # 😀\n  }\n"
    )


def test_fields_stand_in_the_order_of_the_api() -> None:
    """What an object is stands first and its status last, whatever the order in which a server sends it."""
    item = {
        "status": {"phase": "Ready"},
        "spec": {"size": 1},
        "metadata": {"creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"b": "1", "a": "2"}, "name": "one"},
        "kind": "Gadget",
        "apiVersion": "example.com/v1",
    }
    assert manifest(item) == (
        "apiVersion: example.com/v1\nkind: Gadget\nmetadata:\n  name: one\n"
        '  creationTimestamp: "2026-01-02T03:04:05Z"\n  labels:\n    b: "1"\n    a: "2"\n'
        "spec:\n  size: 1\nstatus:\n  phase: Ready\n"
    )


def test_managed_fields_are_folded_to_a_comment() -> None:
    """Field ownership takes one line that names the owners, and the rest is still valid YAML of the same object."""
    owners = [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}, {"manager": "kubelet", "fieldsV1": {}}]
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "managedFields": owners}, "spec": {}}
    text = manifest(item)
    assert "  # managedFields: 2 entries folded (kubectl, kubelet)\n" in text
    assert yaml.safe_load(text)["metadata"] == {"name": "a"}
    assert yaml.safe_load(manifest(item, managed_fields=True)) == item


def test_a_managers_name_cannot_leave_its_comment() -> None:
    """A field manager is named by strangers: a line break in it ends up inside the quotes."""
    item = {"metadata": {"name": "a", "managedFields": [{"manager": "x\nspec: {evil: true}"}]}}
    assert yaml.safe_load(manifest(item)) == {"metadata": {"name": "a"}}


def test_secrets_are_masked() -> None:
    """Neither the values of a secret nor the copy that kubectl keeps of them are in the text; their sizes are."""
    text = manifest(secret(stringData={"token": "canary"}))
    assert "canary" not in text
    assert "Y2FuYXJ5" not in text
    assert f"password: {MASK} (6 bytes)" in text
    assert f"key: {MASK} (2 bytes)" in text
    assert "team: blue" in text


def test_secrets_are_shown_decoded_when_asked_for() -> None:
    """Shown values are readable, and applying the text would make the same secret."""
    shown = yaml.safe_load(manifest(secret(), secrets=True))
    assert shown["stringData"] == {"password": "canary"}
    assert shown["data"] == {"key": base64.b64encode(b"\xff\xfe").decode()}


def test_only_secrets_of_kubernetes_are_masked() -> None:
    """A custom resource that is called Secret is shown as it is: its `data` may be anything."""
    item = {"apiVersion": "example.com/v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"x": "plain"}}
    assert "x: plain" in manifest(item)
