"""What an edit sends, and what it shows of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ktui.actions.action import Refusal, Target
from ktui.actions.edit import Conflicts, edit_action, editable
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.manifests.lists import GUESSED

CONFIGMAPS = generic_kind(GVR("", "v1", "configmaps"), "ConfigMap", True)
SECRETS = generic_kind(GVR("", "v1", "secrets"), "Secret", True)


def item(kind: str = "ConfigMap", version: str = "1", **data: str) -> dict[str, Any]:
    """An object as the server has it."""
    meta = {"name": "x", "namespace": "ns", "uid": "u", "resourceVersion": version, "managedFields": [{}]}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "data": data}


def steps(base: dict[str, Any], mine: dict[str, str], live: dict[str, Any], **choices: str) -> Any:
    """The steps of an edit of `data`, on what is there by then."""
    kind = SECRETS if base["kind"] == "Secret" else CONFIGMAPS
    wanted = {**editable(base), "data": mine}
    action = edit_action(editable(base), wanted, GUESSED, {("data", key): side for key, side in choices.items()})
    return action.plan(Target(kind, ObjectKey("ns", "x")).read(live), {})


def test_only_what_was_changed_is_sent() -> None:
    """What others changed meanwhile is neither sent nor taken back."""
    (step,) = steps(item(a="1", b="1"), {"a": "2", "b": "1"}, item(version="2", a="1", b="9", c="3"))
    assert step.write.body == {"data": {"a": "2"}}
    assert json.loads(step.kubectl[-1]) == step.write.body


def test_the_same_field_is_asked_for() -> None:
    """Until somebody has chosen a side."""
    base, live = item(a="1"), item(version="2", a="theirs")
    with pytest.raises(Conflicts):
        steps(base, {"a": "mine"}, live)
    (step,) = steps(base, {"a": "mine"}, live, a="mine")
    assert step.write.body == {"data": {"a": "mine"}}
    with pytest.raises(Refusal, match="Nothing was changed"):
        steps(base, {"a": "mine"}, live, a="theirs")


def test_another_object_is_not_made_of_it() -> None:
    """Kind, name and namespace say which object it is."""
    base = item(a="1")
    renamed = {**editable(base), "metadata": {**editable(base)["metadata"], "name": "y"}}
    action = edit_action(editable(base), renamed, GUESSED, {})
    with pytest.raises(Refusal, match=r"metadata\.name cannot be changed"):
        action.plan(Target(CONFIGMAPS, ObjectKey("ns", "x")).read(base), {})


def test_secrets_stay_masked_in_the_line_that_is_shown() -> None:
    """What is sent has the value."""
    (step,) = steps(item("Secret", a="b2xk"), {"a": "bmV3"}, item("Secret", a="b2xk"))
    assert step.write.body == {"data": {"a": "bmV3"}}
    assert not any("bmV3" in word for word in step.kubectl)
