"""What takes a write back: exactly that, and nothing that somebody changed since."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.action import JSON, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Step, Target, Undone, Write
from ktui.actions.undo import AnyUndo, CreateUndo, DeleteUndo, PatchUndo, ScaleUndo, blocked, go_json, undo_of
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.pods import PODS
from ktui.kinds.services import SERVICES
from ktui.kube.errors import KtuiError
from ktui.manifests.lists import ABSENT, same

SECRETS = generic_kind(GVR("", "v1", "secrets"), "Secret", True)
CONFIGMAPS = generic_kind(GVR("", "v1", "configmaps"), "ConfigMap", True)
KEY = ObjectKey("shop", "web")

Json = dict[str, Any]
UndoT = TypeVar("UndoT", bound=AnyUndo)


# -- a JSON patch, as the API server applies it ------------------------------------------------


class TestFailed(KtuiError):  # noqa: N818 - it is what the server says
    """The object is not as the patch expects it."""

    __test__ = False


def applied(patch: list[Json], item: Json) -> Json:
    """An object after a JSON patch (RFC 6902); null is found where there is nothing, as the API server has it."""
    document = copy.deepcopy(item)
    for operation in msgspec.json.decode(bytes(go_json(patch))):
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        if operation["op"] == "move":
            *source, place = operation["from"].split("/")[1:]
            value = descend(document, source).pop(int(place))
        else:
            value = operation.get("value")
        where = descend(document, parents)
        there = int(last) < len(where) if isinstance(where, list) else last in where
        key: Any = int(last) if isinstance(where, list) else last
        match operation["op"]:
            case "test":
                if not same(where[key] if there else None, value):
                    raise TestFailed(operation["path"])
            case "add" | "move" if isinstance(where, list):
                assert key <= len(where)
                where.insert(key, value)
            case "add":
                where[key] = value
            case "replace":
                assert there
                where[key] = value
            case "remove":
                del where[key]
            case other:
                raise AssertionError(other)
    return document


def descend(document: Any, parts: list[str]) -> Any:
    for part in parts:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


# -- examples ----------------------------------------------------------------------------------


def deployment(*containers: Json, replicas: int = 2, generation: int = 1, **meta: Any) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": generation, **meta},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": list(containers)}}},
    }


WEB, LOG = {"name": "web", "image": "w:1"}, {"name": "log", "image": "l:1"}


def step(
    undone: Undone | None,
    kind: Kind = DEPLOYMENTS,
    *,
    method: str = "PUT",
    body: Any = None,
    how: str = JSON,
    path: str = "",
) -> Step:
    write = Write(method, path or kind.gvr.path(*KEY), body, how)
    return Step(Target(kind, KEY, "u"), write, ("kubectl",), undone=undone)


def patched(before: Json, after: Json, **how: Any) -> PatchUndo:
    kind = how.pop("kind", DEPLOYMENTS)
    undo = undo_of(step(Undone.PATCH, kind, **how), before, after)
    assert isinstance(undo, PatchUndo)
    return kept(undo)


def kept(undo: UndoT) -> UndoT:
    """As it comes back from the journal."""
    found: UndoT = msgspec.json.decode(msgspec.json.encode(undo), type=AnyUndo)
    assert found == undo
    return found


# -- fields ------------------------------------------------------------------------------------


def test_an_image_goes_back() -> None:
    """The patch tests whose image it is, and that it still is the one we gave."""
    undo = patched(deployment(LOG, WEB), deployment(LOG, {**WEB, "image": "w:2"}, generation=2))
    at = "/spec/template/spec/containers/1"
    assert undo.title == "Restore spec.template.spec.containers[web].image of deployment shop/web"
    assert undo.cannot == ("Its pods are replaced once more.",)
    assert undo.patch == [
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "test", "path": f"{at}/name", "value": "web"},
        {"op": "test", "path": f"{at}/image", "value": "w:2"},
        {"op": "replace", "path": f"{at}/image", "value": "w:1"},
    ]
    made = undo.step(Target(DEPLOYMENTS, KEY))
    assert (made.write.method, made.write.path) == ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web")
    assert (made.write.content_type, made.undone) == (JSON_PATCH, Undone.PATCH)
    assert made.kubectl[:8] == ("kubectl", "-n", "shop", "patch", "deployments", "web", "--type=json", "-p")
    assert (
        msgspec.json.decode(made.kubectl[8]) == msgspec.json.decode(msgspec.json.encode(made.write.body)) == undo.patch
    )


def test_go_compares_what_is_encoded() -> None:
    """The API server finds a value with <, > or & equal only when it is written as Go writes it."""
    text = "a<b>&c\u2028é"
    assert bytes(go_json({"x": text})) == '{"x":"a\\u003cb\\u003e\\u0026c\\u2028é"}'.encode()
    assert msgspec.json.decode(go_json([text])) == [text]


FIELDS = st.sampled_from(["name", "a", "b/c", "d~e", "labels", "ports", "containerPort", "protocol"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(FIELDS, inner, max_size=3)
        # Lists whose items can be told apart.
        | st.lists(st.tuples(st.sampled_from("pqrst"), inner), max_size=4, unique_by=lambda pair: pair[0]).map(
            lambda pairs: [{"name": name, "value": value} for name, value in pairs]
        )
    ),
    max_leaves=20,
)
NOTES = st.dictionaries(st.sampled_from(["x", "y/z", "w"]), st.sampled_from("12"), max_size=3)
OBJECTS = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {"uid": st.just("u")}, optional={"labels": NOTES, "annotations": NOTES, "finalizers": st.lists(st.text())}
        ),
        "spec": VALUES,
    },
    optional={"data": NOTES, "rules": VALUES},
)


def normal(item: Json) -> Json:
    """As a server has it: no empty labels."""
    meta = {key: value for key, value in item["metadata"].items() if value or key not in ("labels", "annotations")}
    return {**item, "metadata": meta}


@given(OBJECTS, OBJECTS)
def test_applied_to_the_object_after_it_gives_the_one_before(before: Json, after: Json) -> None:
    """Whatever was changed, added, removed or moved, at any depth."""
    before, after = normal(before), normal(after)
    undo = undo_of(step(Undone.PATCH), before, after)
    if undo is None:
        assert same(before, after)
        return
    assert isinstance(undo, PatchUndo)
    assert same(normal(applied(kept(undo).patch, after)), before)
    assert blocked(undo, after) == []


@given(OBJECTS, OBJECTS, OBJECTS)
def test_what_is_blocked_is_refused_by_the_server_too(before: Json, after: Json, live: Json) -> None:
    """Both find the same changes of others, so that nothing of theirs is overwritten."""
    undo = undo_of(step(Undone.PATCH), normal(before), normal(after))
    if not isinstance(undo, PatchUndo):
        return
    if any(change.before is not ABSENT for change in blocked(undo, live)):
        with pytest.raises((TestFailed, KeyError, IndexError, TypeError, ValueError, AssertionError)):
            applied(undo.patch, live)


def test_several_items_come_back_in_their_order() -> None:
    """Added ones go, removed ones come, moved ones move, and changed ones change."""
    a, b, c, d, e = ({"name": name, "image": f"{name}:1"} for name in "abcde")
    before, after = deployment(a, b, c, d), deployment({**d, "image": "d:2"}, e, a, {"name": "f"})
    undo = patched(before, after)
    assert applied(undo.patch, after) == before


def test_an_item_that_somebody_put_back() -> None:
    """It would be there twice."""
    undo = patched(deployment(LOG, WEB), deployment(LOG))
    assert blocked(undo, deployment(LOG)) == []
    (change,) = blocked(undo, deployment(LOG, {**WEB, "image": "w:9"}))
    assert change[1:] == ("spec.template.spec.containers[web]", ABSENT, {**WEB, "image": "w:9"})


def test_labels_of_others_stay() -> None:
    """Whoever gave the object a label meanwhile keeps it, also when there was none before."""
    before, after = deployment(WEB), deployment(WEB, labels={"ours": "1"})
    undo = patched(before, after)
    live = deployment(WEB, labels={"ours": "1", "theirs": "2"})
    assert blocked(undo, live) == []
    assert applied(undo.patch, live) == deployment(WEB, labels={"theirs": "2"})


def test_what_controllers_write_is_not_restored() -> None:
    """A revision, a version, a status: they are counted on."""
    before = deployment(WEB, annotations={"deployment.kubernetes.io/revision": "1"}, resourceVersion="1")
    after = deployment(
        {**WEB, "image": "w:2"},
        annotations={"deployment.kubernetes.io/revision": "2"},
        resourceVersion="2",
        generation=2,
    )
    after["status"] = {"replicas": 7}
    assert [given.said for given in patched(before, after).given if not given.names] == [
        "spec.template.spec.containers[web].image"
    ]
    assert undo_of(step(Undone.PATCH), before, {**before, "status": {"replicas": 7}}) is None


@pytest.mark.parametrize(
    ("how", "body"),
    [
        (MERGE_PATCH, {"spec": {"template": {"spec": {"containers": []}}}}),
        (STRATEGIC_PATCH, {"spec": {"template": {"spec": {"containers": [{"name": "web"}]}}}}),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "w:2"}]),
        (JSON_PATCH, msgspec.Raw(b'[{"op": "replace", "path": "/spec/template", "value": {}}]')),
    ],
)
def test_changes_of_others_at_the_same_time_are_theirs(how: str, body: Any) -> None:
    """The server counted two changes, and the write names one of the fields: the other was somebody else's."""
    before = deployment(WEB, replicas=2, generation=4)
    after = deployment({**WEB, "image": "w:2"}, replicas=5, generation=6, labels={"theirs": "1"})
    undo = patched(before, after, method="PATCH", how=how, body=body)
    assert applied(undo.patch, after)["spec"] == {**after["spec"], "template": before["spec"]["template"]}
    after["metadata"]["generation"] = 5
    # Counted once, what else changed is what ours brought with it.
    both = patched(before, after, method="PATCH", how=how, body=body)
    assert applied(both.patch, after)["spec"] == before["spec"]
    assert applied(both.patch, after)["metadata"]["labels"] == {"theirs": "1"}


def test_a_subresource_is_undone_through_it() -> None:
    """A resize goes back through `resize`."""
    before = {"metadata": {"name": "web", "uid": "u"}, "spec": {"containers": [{"name": "a", "resources": {"x": 1}}]}}
    after = {"metadata": {"name": "web", "uid": "u"}, "spec": {"containers": [{"name": "a", "resources": {"x": 2}}]}}
    undo = patched(before, after, kind=PODS, path=PODS.gvr.path(*KEY, "resize"))
    assert undo.step(Target(PODS, KEY)).write.path == "/api/v1/namespaces/shop/pods/web/resize"
    assert "--subresource=resize" in undo.kubectl


def test_what_somebody_changed_since() -> None:
    """It is said with the value that was given and the one of now."""
    undo = patched(deployment(LOG, WEB), deployment(LOG, {**WEB, "image": "w:2"}))
    (change,) = blocked(undo, deployment(LOG, {**WEB, "image": "w:3"}))
    path = ("spec", "template", "spec", "containers", 1)
    assert change == ((*path, "image"), "spec.template.spec.containers[web].image", "w:2", "w:3")
    (moved,) = blocked(undo, deployment({**WEB, "image": "w:2"}, LOG))
    assert moved == ((*path, "name"), "spec.template.spec.containers[web].name", "web", "log")
    (gone,) = blocked(undo, deployment(LOG))
    assert (gone.before, gone.after) == ("web", ABSENT)
    assert blocked(undo, deployment(LOG, {**WEB, "image": "w:2"}, replicas=9)) == []


@pytest.mark.parametrize(
    ("live", "field"),
    [
        (None, "deployment shop/web"),
        (deployment(uid="other"), "metadata.uid"),
        (deployment(deletionTimestamp="2026-01-01T00:00:00Z"), "metadata.deletionTimestamp"),
    ],
)
@pytest.mark.parametrize("way", [Undone.PATCH, Undone.SCALE, Undone.DELETE])
def test_another_object_is_left_alone(way: Undone, live: Json | None, field: str) -> None:
    """One of the same name is not the one that was changed."""
    undo = undo_of(step(way), deployment(), deployment(replicas=3))
    assert undo is not None
    assert [change.said for change in blocked(kept(undo), live)] == [field]


# -- scale -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [deployment(replicas=0), {"kind": "Scale", "metadata": {"name": "web"}, "spec": {}}])
def test_scale_goes_back(answer: Json) -> None:
    """Whether the answer was a scale, which leaves out 0, or the object."""
    undo = undo_of(step(Undone.SCALE), deployment(replicas=2), answer)
    assert isinstance(undo, ScaleUndo)
    assert (undo.title, undo.refused) == ("Scale deployment shop/web back to 2", "")
    assert len(undo.cannot) == 1
    made = kept(undo).step(Target(DEPLOYMENTS, KEY))
    assert made.write.path == "/apis/apps/v1/namespaces/shop/deployments/web/scale"
    assert (made.write.body, made.write.content_type) == ({"spec": {"replicas": 2}}, MERGE_PATCH)
    assert " ".join(made.kubectl) == "kubectl -n shop scale deployments web --current-replicas=0 --replicas=2"
    assert blocked(undo, deployment(replicas=0)) == []
    assert blocked(undo, deployment(replicas=5)) == [(("spec", "replicas"), "spec.replicas", 0, 5)]


def test_a_scale_that_is_not_known_is_refused() -> None:
    """A custom resource may have its number anywhere."""
    before: Json = {"metadata": {"name": "web"}, "spec": {"size": 1}}
    undo = undo_of(step(Undone.SCALE), before, {"kind": "Scale", "metadata": {}, "spec": {"replicas": 3}})
    assert undo is not None
    assert "not known" in undo.refused
    assert undo_of(step(Undone.SCALE), deployment(replicas=3), deployment(replicas=3)) is None


# -- creations ---------------------------------------------------------------------------------


def test_what_was_created_is_deleted() -> None:
    """This very object, unless somebody changed its spec; a controller's annotations and status do not count."""
    made = deployment(WEB)
    undo = undo_of(step(Undone.DELETE), None, made)
    assert isinstance(undo, DeleteUndo)
    write = kept(undo).step(Target(DEPLOYMENTS, KEY)).write
    assert (write.method, write.path) == ("DELETE", "/apis/apps/v1/namespaces/shop/deployments/web")
    assert write.body["preconditions"] == {"uid": "u"}
    assert undo.kubectl == ("kubectl", "-n", "shop", "delete", "deployments", "web")
    live = deployment(WEB, annotations={"deployment.kubernetes.io/revision": "1"}, resourceVersion="9")
    assert blocked(undo, {**live, "status": {"replicas": 1}}) == []
    (change,) = blocked(undo, deployment(WEB, replicas=4, generation=2))
    assert change[1:] == ("spec.replicas", 2, 4)
    (labelled,) = blocked(undo, deployment(WEB, labels={"a": "b"}))
    assert labelled.said == "metadata.labels"


def test_what_controllers_fill_in_does_not_count() -> None:
    """A pod gets its node."""
    pod = {"kind": "Pod", "metadata": {"name": "web", "uid": "u"}, "spec": {"containers": []}}
    undo = undo_of(step(Undone.DELETE, PODS), None, pod)
    assert undo is not None
    assert blocked(undo, {**pod, "spec": {"containers": [], "nodeName": "n"}}) == []
    assert len(blocked(undo, {**pod, "spec": {"containers": [], "activeDeadlineSeconds": 1}})) == 1


def test_a_created_secret_is_not_kept() -> None:
    """Its version tells whether anything of it changed."""
    secret: Json = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "aHVudGVyMg=="}}
    secret["metadata"] = {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "5"}
    undo = undo_of(step(Undone.DELETE, SECRETS), None, secret)
    assert undo is not None
    assert b"aHVu" not in msgspec.json.encode(undo)
    assert undo.step(Target(SECRETS, KEY)).write.body["preconditions"] == {"uid": "u", "resourceVersion": "5"}
    assert blocked(undo, secret) == []
    assert len(blocked(undo, {**secret, "metadata": {**secret["metadata"], "resourceVersion": "6"}})) == 1


def test_a_name_that_the_server_made() -> None:
    """generateName: only the answer knows it."""
    made = deployment(WEB)
    made["metadata"]["name"] = "web-x7k2p"
    undo = undo_of(step(Undone.DELETE), None, made)
    assert undo is not None
    assert undo.key == ObjectKey("shop", "web-x7k2p")


# -- deletions ---------------------------------------------------------------------------------


def test_what_was_deleted_is_created_again() -> None:
    """From its manifest; with a second one where something may be taken; and what does not come back."""
    spec = {"clusterIP": "10.96.1.1", "clusterIPs": ["10.96.1.1"], "ports": [{"port": 80}], "selector": {"a": "b"}}
    service = {"metadata": {"name": "web", "namespace": "shop", "uid": "u"}, "spec": spec, "status": {}}
    undo = undo_of(step(Undone.CREATE, SERVICES), service, {})
    assert isinstance(undo, CreateUndo)
    undo = kept(undo)
    assert undo.title == "Create service shop/web again"
    assert any("UID" in sentence for sentence in undo.cannot)
    made = undo.step(Target(SERVICES, KEY))
    assert (made.write.method, made.write.path, made.undone) == (
        "POST",
        "/api/v1/namespaces/shop/services",
        Undone.DELETE,
    )
    assert made.write.body == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }
    assert made.kubectl == ("kubectl", "-n", "shop", "create", "-f", "-")
    assert "clusterIP: 10.96.1.1" in made.stdin
    other = undo.step_for(Target(SERVICES, KEY), otherwise=True)
    assert other.write.body["spec"] == {"ports": [{"port": 80}], "selector": {"a": "b"}}


def test_the_name_must_be_free() -> None:
    """Whether somebody made another, or the one that was deleted is not gone yet."""
    undo = undo_of(step(Undone.CREATE), deployment(WEB), {})
    assert undo is not None
    assert blocked(undo, None) == []
    (other,) = blocked(undo, deployment(uid="v"))
    assert other == ((), "deployment shop/web", ABSENT, {"uid": "v"})
    (leaving,) = blocked(undo, deployment(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert leaving.said == "metadata.deletionTimestamp"


def test_owners_that_are_gone_are_left_out() -> None:
    """Which only who creates it knows."""
    owner = {"apiVersion": "v1", "kind": "X", "name": "x", "uid": "o"}
    undo = undo_of(step(Undone.CREATE), deployment(WEB, ownerReferences=[owner]), {})
    assert isinstance(undo, CreateUndo)
    assert [name.uid for name in undo.owners] == ["o"]
    assert "ownerReferences" not in undo.step_for(Target(DEPLOYMENTS, KEY), owner_gone=True).write.body["metadata"]
    assert undo.step(Target(DEPLOYMENTS, KEY)).write.body["metadata"]["ownerReferences"] == [owner]


# -- secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [Undone.PATCH, Undone.CREATE])
def test_the_data_of_secrets_is_kept_only_when_wanted(way: Undone) -> None:
    """Else the undo is refused, says why, and holds nothing of it."""
    meta: Json = {"name": "web", "namespace": "shop", "uid": "u", "annotations": {"a": "b"}}
    before = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"a": "aHVudGVyMg=="}}
    after = {**before, "data": {"a": "aHVudGVyMw=="}}
    undo = undo_of(step(way, SECRETS), before, after)
    assert undo is not None
    assert "keep_secrets" in undo.refused
    assert b"aHVu" not in msgspec.json.encode(undo)
    kept_one = undo_of(step(way, SECRETS), before, after, keep_secrets=True)
    assert kept_one is not None
    assert not kept_one.refused
    assert "aHVu" not in kept_one.step(Target(SECRETS, KEY)).stdin
    labelled = undo_of(step(Undone.PATCH, SECRETS), before, {**before, "metadata": {**meta, "labels": {"x": "y"}}})
    assert labelled is not None
    assert not labelled.refused


def test_nothing_to_undo() -> None:
    """What cannot be, and what was not done."""
    assert undo_of(step(Undone.NEVER), deployment(), deployment(replicas=3)) is None
    assert undo_of(step(None), deployment(), deployment(replicas=3)) is None
    assert undo_of(step(Undone.PATCH), None, deployment(replicas=3)) is None
    assert undo_of(step(Undone.PATCH), deployment(), None) is None
