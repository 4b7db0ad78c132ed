"""Manifests: what is sent of each object, in which order, and what waits for what."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.action import Cluster, JsonObject, Refusal, Step, Target, Undone
from ktui.actions.apply_manifest import apply_manifest_action
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.namespaces import NAMESPACES
from ktui.kube.discovery import Discovery, Resource
from ktui.kube.errors import Details, NotFound
from ktui.manifests.applied import overlaid, without
from ktui.manifests.lists import GUESSED
from ktui.manifests.reading import read

PLACE = Target(NAMESPACES, ObjectKey("shop", ""))
SERVED = {
    ("", "Namespace"): ("namespaces", False),
    ("", "ConfigMap"): ("configmaps", True),
    ("", "Pod"): ("pods", True),
    ("", "Secret"): ("secrets", True),
    ("apps", "Deployment"): ("deployments", True),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("customresourcedefinitions", False),
}


class Here:
    """A cluster: what it serves, and what is there."""

    namespace = "default"

    def __init__(self, *there: JsonObject) -> None:
        self.there = {(item["kind"], item["metadata"]["name"]): item for item in there}
        self.asked_anew = 0

    async def discovery(self, *, anew: bool = False) -> Discovery:
        """What is served."""
        self.asked_anew += anew
        verbs = ("patch", "create")
        return Discovery(
            [
                Resource(GVR(group, "v1", name), kind, kind.lower(), namespaced, (), verbs, (), ())
                for (group, kind), (name, namespaced) in SERVED.items()
            ]
        )

    async def get(self, gvr: GVR, key: ObjectKey, subresource: str = "") -> JsonObject:
        """What is there."""
        for (kind, name), item in self.there.items():
            if gvr.resource == f"{kind.lower()}s" and name == key.name:
                return item
        raise NotFound(404, "NotFound", "", details=Details(name=key.name))

    async def objects(self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """Nothing else."""
        return []


async def begun(text: str, here: Here, **more: Any) -> tuple[Any, dict[str, Any]]:
    """An action, and what its form begins with."""
    action = apply_manifest_action(read(text), **more)
    form = await action.form(cast("Cluster", here), [PLACE])
    return action, form.start()


async def steps(text: str, *there: JsonObject, values: Any = None, **more: Any) -> list[Step]:
    """What is sent."""
    action, start = await begun(text, Here(*there), **more)
    return list(action.plan(PLACE, {**start, **(values or {})}))


CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: "1", b: "1"}\n'


def live(kind: str = "ConfigMap", version: str = "v1", **more: Any) -> JsonObject:
    """An object that is there."""
    meta = {"name": "x", "namespace": "shop", "uid": "u", "resourceVersion": "1"}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


async def test_what_is_there_is_changed_and_what_is_not_is_made() -> None:
    """Both by an apply; what is made is shown, and deleted by undoing."""
    (made,) = await steps(CONFIG)
    assert (made.write.method, made.write.path) == ("PATCH", "/api/v1/namespaces/shop/configmaps/x")
    assert made.shown == made.write.body
    assert made.undone is Undone.DELETE
    (changed,) = await steps(CONFIG, live())
    assert changed.write == made.write
    assert changed.shown is None
    assert changed.undone is Undone.PATCH
    assert changed.target.item == live()


async def test_force_and_what_is_left_to_others() -> None:
    """All is taken over; or some fields are not sent."""
    (step,) = await steps(CONFIG, live(), values={"force": True})
    assert step.write.query == {"force": "true"}
    (step,) = await steps(CONFIG, live(), leave={0: [("data", "a")]})
    assert step.write.body["data"] == {"b": "1"}


async def test_what_the_server_names_is_created() -> None:
    """An apply needs a name."""
    (step,) = await steps("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n")
    assert (step.write.method, step.write.path) == ("POST", "/api/v1/namespaces/shop/configmaps")


async def test_what_others_need_comes_first_and_is_waited_for() -> None:
    """A namespace whose pods need an account; a definition; what is named."""
    text = """
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: new}
spec: {containers: [{name: a, envFrom: [{configMapRef: {name: x}}, {secretRef: {name: else, optional: true}}]}]}
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: g, namespace: new}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: x, namespace: new, managedFields: []}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Gadget, plural: gadgets}}
---
apiVersion: v1
kind: Namespace
metadata: {name: new}
"""
    space, definition, config, pod, gadget = await steps(text)
    assert [needs.key.name for needs in config.needs or ()] == ["new"]
    assert [needs.key.name for needs in pod.needs or ()] == ["new", "x"]
    assert [needs.key.name for needs in gadget.needs or ()] == ["new", "gadgets.example.com"]
    assert [step.previewed for step in (space, definition, config, pod, gadget)] == [True, True, False, False, False]
    assert "managedFields" not in config.write.body["metadata"]

    assert space.awaited is not None
    assert space.awaited.key == ObjectKey("new", "default")
    assert space.settled is not None
    assert space.settled(None)
    assert space.settled({}) == ""
    established = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}
    refused = {"status": {"conditions": [{"type": "NamesAccepted", "status": "False", "message": "taken"}]}}
    assert definition.settled is not None
    assert [definition.settled(item) for item in (established, refused, {}, None)] == [
        "",
        "is not served: taken",
        "waits until it is served",
        "waits until it is served",
    ]


async def test_where_is_asked_for_what_does_not_say_it() -> None:
    """And only then; whether to take over, where something is there."""
    for text, there, shown in (
        (CONFIG, (), ["namespace"]),
        (CONFIG.replace("x}", "x, namespace: other}"), (), []),
        (CONFIG, (live(),), ["namespace", "force"]),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n", (), []),
    ):
        action = apply_manifest_action(read(text))
        form = await action.form(cast("Cluster", Here(*there)), [PLACE])
        assert [field.name for field in form.fields if field.shown(form.start())] == shown


async def test_a_kind_that_is_not_known_is_asked_for_anew() -> None:
    """Once; then it is refused, with its place."""
    here = Here()
    with pytest.raises(Refusal, match='no matches for kind "Gadget"') as refused:
        await begun(f"{CONFIG}---\napiVersion: example.com/v1\nkind: Gadget\nmetadata: {{name: g}}\n", here)
    assert "document 2, line 6" in refused.value.next_step
    assert here.asked_anew == 1
    await begun(CONFIG, here)
    assert here.asked_anew == 1


def test_nothing_to_apply() -> None:
    """In kubectl's words."""
    with pytest.raises(Refusal, match="no objects passed to apply"):
        apply_manifest_action(read("# nothing\n")).plan(PLACE, {"namespace": "x", "kinds": {}})


async def test_what_follows_is_said_of_each_object() -> None:
    """Of what is there and would be another one by it; defaults are no change."""
    containers = [{"name": "a", "image": "x:1", "imagePullPolicy": "Always"}]
    there = live("Deployment", "apps/v1", spec={"replicas": 3, "template": {"spec": {"containers": containers}}})
    assert DEPLOYMENTS.gvr == GVR("apps", "v1", "deployments")
    for image, said in (("x:1", []), ("x:2", [("deployment shop/x", "The template changes: 3 pods are replaced")])):
        text = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: x}}
spec: {{template: {{spec: {{containers: [{{name: a, image: "{image}"}}]}}}}}}
"""
        action, values = await begun(text, here := Here(there))
        found = await action.weigh(cast("Cluster", here), [PLACE], values)
        assert [(each.about, each.text.partition(",")[0]) for each in found] == said


VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "data", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES, VALUES)
def test_what_is_declared_is_over_what_is_there(before: Any, declared: Any) -> None:
    """Done twice, it is the same; and nothing declared over it leaves it."""
    once = overlaid(before, declared, GUESSED)
    assert overlaid(once, declared, GUESSED) == once
    assert overlaid(before, before, GUESSED) == before


def test_parts_are_left_out_by_their_paths() -> None:
    """Several of one list, too; what is not there, is passed over."""
    value = {"a": [{"b": 1, "c": 2}, {"b": 3}, {"b": 4}], "d": 5}
    assert without(value, [("a", 0, "c"), ("a", 1), ("d",), ("e", "f"), ("a", 9)]) == {"a": [{"b": 1}, {"b": 4}]}
    assert without(value, []) == value
