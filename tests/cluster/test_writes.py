"""Writes: what a cluster answers to everything that ktui's actions ask of it, and what becomes of it.

The same requests go to both clusters, as bare HTTP, so that the embedded one can be held against the real one. Pods
tolerate the taint of the real cluster's simulated nodes and so run on both.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import yaml

from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Kubectl
from tests.cluster.objects import Objects, until
from tests.cluster.specimens import FINALIZER, IMAGE, TOLERATION

Body = dict[str, Any]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
DRY = "dryRun=All"
DEPLOY = "apps/deployments"


@dataclass(frozen=True)
class Said:
    """What the server said."""

    status: int
    body: Any
    warnings: list[str]

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Field and message of each cause, once."""
        found = (self.body.get("details") or {}).get("causes") or []
        return list(dict.fromkeys((cause.get("field", ""), cause["message"]) for cause in found))


class Api:
    """Bare requests in one namespace: `apps/deployments/web` is a path in it, what starts with a slash a whole one."""

    def __init__(self, cluster: Cluster, namespace: str, session: aiohttp.ClientSession) -> None:
        self.kind = cluster.kind
        self.namespace = namespace
        self._cluster = cluster
        self._session = session

    async def ask(self, method: str, path: str, body: Any = None, how: str = "application/json", **who: str) -> Said:
        """One request, whatever comes of it; `user="dev"` as somebody other than admin."""
        config = yaml.safe_load(self._cluster.kubeconfig(who.get("user", "admin")).read_text())
        server, token = config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]["token"]
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "tests/1"}
        if body is not None:
            headers["Content-Type"] = how
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        url = server + (path if path.startswith("/") else self._path(path))
        async with self._session.request(method, url, data=sent, headers=headers) as answer:
            text = await answer.text()
            found = json.loads(text) if text.startswith("{") else text
            return Said(answer.status, found, answer.headers.getall("Warning", []))

    async def make(self, path: str, body: Body) -> Body:
        """Creates an object."""
        said = await self.ask("POST", path, body)
        assert said.status == 201, said.body
        made: Body = said.body
        return made

    async def get(self, path: str) -> Any:
        """Whatever is there now."""
        return (await self.ask("GET", path)).body

    async def patch(self, path: str, body: Any, how: str = STRATEGIC) -> Body:
        """Changes an object."""
        said = await self.ask("PATCH", path, body, how)
        assert said.status == 200, said.body
        changed: Body = said.body
        return changed

    async def until(self, path: str, holds: Callable[[Any], Any], within: float = 40.0) -> Any:
        """What is there once it is as wanted."""
        seen: list[Any] = [None]

        async def holds_now() -> bool:
            seen[0] = await self.get(path)
            try:
                return bool(holds(seen[0]))
            except (KeyError, IndexError, StopIteration, TypeError):
                return False

        await until(holds_now, within, f"{path} did not become so")
        return seen[0]

    async def gone(self, path: str) -> None:
        """Waits until nothing is there."""
        await self.until(path, lambda found: isinstance(found, str) or found.get("code") == 404)

    def _path(self, path: str) -> str:
        group, _, rest = path.partition("/")
        if group in _GROUPS:
            return f"/apis/{_GROUPS[group]}/namespaces/{self.namespace}/{rest}"
        return f"/api/v1/namespaces/{self.namespace}/{path}"


_GROUPS = {
    "apps": "apps/v1",
    "batch": "batch/v1",
    "policy": "policy/v1",
    "discovery": "discovery.k8s.io/v1",
    "rbac": "rbac.authorization.k8s.io/v1",
    "autoscaling": "autoscaling/v2",
}


@pytest.fixture
async def api(cluster: Cluster, namespace: str) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False, limit=0)) as session:
        yield Api(cluster, namespace, session)


def configmap(name: str, **metadata: Any) -> Body:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {"a": "1"}}


def service(name: str, **spec: Any) -> Body:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def pod_spec(**more: Any) -> Body:
    return {"containers": [{"name": "web", "image": IMAGE}], "tolerations": [TOLERATION], **more}


def pod(name: str, **spec: Any) -> Body:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod_spec(**spec)}


def workload(kind: str, name: str, replicas: int = 1, **spec: Any) -> Body:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    whole = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": whole}


def rolled_out(replicas: int) -> Callable[[Body], bool]:
    """Whether a Deployment is complete."""

    def holds(found: Body) -> bool:
        status = found["status"]
        counts = [status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas")]
        return counts == [replicas] * 3 and status["observedGeneration"] == found["metadata"]["generation"]

    return holds


def without(found: Body, *fields: str) -> Body:
    """An object's metadata without what differs between any two."""
    return {key: value for key, value in found["metadata"].items() if key not in (*fields, "managedFields")}


# -- Dry runs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "how", "body"),
    [
        ("PUT", "application/json", {**configmap("b"), "data": {"a": "2"}}),
        ("PATCH", MERGE, {"data": {"a": "2"}}),
        ("PATCH", STRATEGIC, {"data": {"a": "2"}}),
        ("PATCH", JSON_PATCH, [{"op": "replace", "path": "/data/a", "value": "2"}]),
        ("PATCH", APPLY, {**configmap("b"), "data": {"a": "2"}}),
    ],
    ids=["update", "merge", "strategic", "json", "apply"],
)
async def test_a_dry_change_answers_as_if_done(method: str, how: str, body: Any, api: Api) -> None:
    """It shows the object as it would be, at its present version, and the object stays as it is."""
    made = await api.make("configmaps", configmap("b"))
    force = "&force=true" if how == APPLY else ""
    said = await api.ask(method, f"configmaps/b?{DRY}&fieldManager=ktui{force}", body, how)
    assert (said.status, said.body["data"]) == (200, {"a": "2"})
    assert said.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert await api.get("configmaps/b") == made


async def test_a_dry_change_counts_the_generation(api: Api) -> None:
    """What would bump the generation is shown to bump it."""
    await api.make(DEPLOY, workload("Deployment", "web", 0, paused=True))
    said = await api.ask("PATCH", f"{DEPLOY}/web?{DRY}", {"spec": {"replicas": 5}}, STRATEGIC)
    assert (said.body["spec"]["replicas"], said.body["metadata"]["generation"]) == (5, 2)
    assert (await api.get(f"{DEPLOY}/web"))["metadata"]["generation"] == 1


async def test_a_dry_creation_stores_nothing(api: Api) -> None:
    """The answer is complete but for a version; the next creation finds no trace of it."""
    for _ in range(2):
        said = await api.ask("POST", f"{DEPLOY}?{DRY}", workload("Deployment", "web"))
        assert said.status == 201
        assert said.body["spec"]["strategy"]["type"] == "RollingUpdate"
        assert {"uid", "creationTimestamp", "generation"} <= said.body["metadata"].keys()
        assert "resourceVersion" not in said.body["metadata"]
    assert (await api.ask("GET", f"{DEPLOY}/web")).status == 404


async def test_a_dry_creation_of_a_service_allocates_nothing(api: Api) -> None:
    """Its numbers are none that a service could have, and it is not asked whether a wanted one is free."""
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    said = await api.ask("POST", f"services?{DRY}", service("s", type="NodePort", ports=ports))
    assert said.body["spec"]["clusterIP"] == "10.96.0.0"
    assert [port["nodePort"] for port in said.body["spec"]["ports"]] == [32769, 32770]
    taken = await api.ask("POST", f"services?{DRY}", service("s", clusterIP="10.96.0.1", ports=[{"port": 80}]))
    assert taken.status == 201
    foreign = await api.ask("POST", f"services?{DRY}", service("s", clusterIP="10.1.0.1", ports=[{"port": 80}]))
    assert foreign.causes[0][1].startswith(
        'Invalid value: ["10.1.0.1"]: failed to allocate IP 10.1.0.1: the provided IP (10.1.0.1) is not in the valid '
        "range. The range of valid IPs is 10.96.0.0/"
    )


@pytest.mark.parametrize("asked", ["query", "body"])
async def test_a_dry_deletion_deletes_nothing(asked: str, api: Api) -> None:
    """One object or all of them: it says Success or lists them, and they are still there."""
    await api.make("configmaps", configmap("b"))
    options = None if asked == "query" else {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}
    query = f"?{DRY}" if asked == "query" else "?"
    one = await api.ask("DELETE", f"configmaps/b{query}", options)
    assert (one.status, one.body["status"], one.body["details"]["name"]) == (200, "Success", "b")
    several = await api.ask("DELETE", f"configmaps{query}&fieldSelector=metadata.name%3Db", options)
    assert [item["metadata"]["name"] for item in several.body["items"]] == ["b"]
    assert "kind" not in several.body["items"][0]
    assert (await api.ask("GET", "configmaps/b")).status == 200


async def test_a_dry_deletion_in_the_foreground_shows_the_finalizer(api: Api) -> None:
    """A deletion that would wait shows the object as it would wait."""
    await api.make(DEPLOY, workload("Deployment", "web", 0, paused=True))
    said = await api.ask("DELETE", f"{DEPLOY}/web?{DRY}&propagationPolicy=Foreground")
    metadata = said.body["metadata"]
    assert metadata["finalizers"] == ["foregroundDeletion"]
    assert (metadata["generation"], metadata["deletionGracePeriodSeconds"]) == (2, 0)
    assert "deletionTimestamp" not in (await api.get(f"{DEPLOY}/web"))["metadata"]


async def test_dry_subresources(api: Api) -> None:
    """Scaling, binding and evicting can be rehearsed, too."""
    await api.make(DEPLOY, workload("Deployment", "web", 0, paused=True))
    scaled = await api.ask("PATCH", f"{DEPLOY}/web/scale?{DRY}", {"spec": {"replicas": 7}}, MERGE)
    assert scaled.body["spec"] == {"replicas": 7}
    assert (await api.get(f"{DEPLOY}/web/scale"))["spec"] == {}
    await api.make("pods", pod("p", schedulerName="nobody"))
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p"},
        "target": {"kind": "Node", "name": "n"},
    }
    assert (await api.ask("POST", f"pods/p/binding?{DRY}", binding)).status == 201
    assert (await api.ask("POST", f"pods/p/eviction?{DRY}", eviction("p"))).status == 201
    assert (await api.ask("POST", "pods/p/eviction", eviction("p", dryRun=["All"]))).status == 201
    found = await api.get("pods/p")
    assert "nodeName" not in found["spec"]
    assert "deletionTimestamp" not in found["metadata"]


@pytest.mark.parametrize(
    ("path", "options", "told"),
    [
        ("?dryRun=Bad", None, ("dryRun", 'Unsupported value: ["Bad"]: supported values: "All"')),
        ("", {"dryRun": ["Bad"]}, ("dryRun", 'Unsupported value: ["Bad"]: supported values: "All"')),
        (
            "",
            {"propagationPolicy": "Foo"},
            (
                "propagationPolicy",
                'Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
            ),
        ),
        (
            "",
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            (
                "propagationPolicy",
                'Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
            ),
        ),
    ],
)
async def test_options_that_make_no_sense(path: str, options: Body | None, told: tuple[str, str], api: Api) -> None:
    """They are refused, and nothing happens."""
    await api.make("configmaps", configmap("b"))
    said = await api.ask("DELETE", f"configmaps/b{path}", options)
    assert (said.status, said.causes) == (422, [told])
    assert (await api.ask("GET", "configmaps/b")).status == 200


# -- Rules -------------------------------------------------------------------------------------------------------------

WHOLE_KEY = (
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' "
    "(e.g. 'example.com/MyName')"
)
NO_DOTS = "must not contain dots"


async def test_names_and_keys(api: Api) -> None:
    """What is wrong with them is said in the server's words."""
    never = {"template": {"spec": pod_spec(restartPolicy="Never")}}
    long = "x" * 64

    def named(kind: str, name: str) -> Body:
        return {**workload(kind, "x"), "metadata": {"name": name}}

    def job(name: str) -> Body:
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": never}

    cronjob = {**job("x" * 53), "kind": "CronJob", "spec": {"schedule": "@daily", "jobTemplate": {"spec": never}}}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a.b"}}
    name, labels = "metadata.name", "metadata.labels"
    for path, body, field, value, told in (
        ("configmaps", configmap("x", labels={"b/c/d": ""}), labels, "b/c/d", WHOLE_KEY),
        ("configmaps", configmap("x", annotations={"b/c/d": ""}), "metadata.annotations", "b/c/d", WHOLE_KEY),
        ("configmaps", {**configmap("x"), "data": {"..a": ""}}, "data[..a]", "..a", "must not start with '..'"),
        ("/api/v1/namespaces", namespace, name, "a.b", NO_DOTS),
        ("services", service("a.b", ports=PORT), name, "a.b", NO_DOTS),
        ("apps/statefulsets", named("StatefulSet", "a.b"), name, "a.b", NO_DOTS),
        ("apps/statefulsets", named("StatefulSet", long), name, long, "must be no more than 63 characters"),
        ("batch/jobs", job(long), "spec.template.labels", long, "must be no more than 63 bytes"),
        ("batch/cronjobs", cronjob, name, "x" * 53, "must be no more than 52 characters"),
    ):
        said = await api.ask("POST", f"{path}?{DRY}", body)
        assert (said.status, said.causes) == (422, [(field, f'Invalid value: "{value}": {told}')])
    for path, body in (("batch/jobs", job("a.b")), (DEPLOY, named("Deployment", "a.b"))):
        assert (await api.ask("POST", f"{path}?{DRY}", body)).status == 201


async def test_tolerations(api: Api) -> None:
    """Those that make no sense are refused, in pods and in templates."""
    key = {"key": "a", "operator": "Exists"}
    matches_all = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
    for toleration, field, told in (
        (
            {**key, "tolerationSeconds": 5},
            "effect",
            "Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
        ({**key, "operator": "Foo"}, "operator", 'Unsupported value: "Foo": supported values: "Equal", "Exists"'),
        (
            {**key, "value": "b"},
            "operator",
            "Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
        ),
        ({"value": "b"}, "operator", f'Invalid value: "": {matches_all}'),
        (
            {**key, "effect": "Foo"},
            "effect",
            'Unsupported value: "Foo": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        ),
    ):
        said = await api.ask("POST", f"pods?{DRY}", pod("p", tolerations=[toleration]))
        assert (said.status, said.causes) == (422, [(f"spec.tolerations[0].{field}", told)])
    deployment = workload("Deployment", "web")
    deployment["spec"]["template"]["spec"]["tolerations"] = [{}]
    said = await api.ask("POST", f"{DEPLOY}?{DRY}", deployment)
    assert said.causes == [("spec.template.spec.tolerations[0].operator", f'Invalid value: "": {matches_all}')]


async def test_json_patches_of_fields_that_are_not_there(api: Api) -> None:
    """Such a field tests as null and can be replaced, if its parent is there; it cannot be removed."""
    await api.make("configmaps", configmap("b"))
    for operation, status in (
        ({"op": "test", "path": "/data/nope", "value": None}, 200),
        ({"op": "test", "path": "/data/nope"}, 200),
        ({"op": "test", "path": "/data/nope", "value": ""}, 422),
        ({"op": "test", "path": "/nope/nope", "value": None}, 422),
        ({"op": "test", "path": "/metadata/finalizers/0", "value": None}, 422),
        ({"op": "test", "path": "/data/a", "value": None}, 422),
        ({"op": "replace", "path": "/data/nope", "value": "1"}, 200),
        ({"op": "remove", "path": "/data/nope"}, 422),
    ):
        said = await api.ask("PATCH", f"configmaps/b?{DRY}", [operation], JSON_PATCH)
        assert (operation, said.status) == (operation, status)


async def test_claim_templates_may_say_what_they_are(api: Api) -> None:
    """Their kind and apiVersion are known fields, and are there in any case; others are not."""
    resources = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": resources}
    head = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    for said_before in (head, {}):
        claim = {**said_before, "metadata": {"name": "data"}, "spec": spec}
        body = workload("StatefulSet", "db", volumeClaimTemplates=[claim])
        said = await api.ask("POST", f"apps/statefulsets?{DRY}&fieldValidation=Strict", body)
        (found,) = said.body["spec"]["volumeClaimTemplates"]
        assert found == {**claim, **head, "spec": {**spec, "volumeMode": "Filesystem"}, "status": {"phase": "Pending"}}
    body = workload("StatefulSet", "db", volumeClaimTemplates=[{**claim, "foo": 1}])
    said = await api.ask("POST", f"apps/statefulsets?{DRY}&fieldValidation=Strict", body)
    assert said.body["message"].endswith('strict decoding error: unknown field "spec.volumeClaimTemplates[0].foo"')


async def test_a_port_without_a_target(api: Api) -> None:
    """It is its own target, also where it says so by nothing or zero."""
    for target in ({}, {"targetPort": ""}, {"targetPort": 0}):
        said = await api.ask("POST", f"services?{DRY}", service("s", ports=[{"port": 80, **target}]))
        assert said.body["spec"]["ports"] == [{"port": 80, "targetPort": 80, "protocol": "TCP"}]


# -- Field validation and warnings -----------------------------------------------------------------------------------


async def test_strict_field_validation(api: Api) -> None:
    """Unknown and doubled fields are refused: as the object's fault, or as the patch's."""
    doubled = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d"},"data":{"a":"1","a":"2"}}'
    said = await api.ask("POST", "configmaps?fieldValidation=Strict", doubled)
    start = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
    assert (said.status, said.body["message"]) == (400, start + 'duplicate field "data.a"')
    await api.make("configmaps", configmap("b"))
    patch = await api.ask("PATCH", "configmaps/b?fieldValidation=Strict", {"foo": 1}, STRATEGIC)
    why = 'Invalid value: "map[foo:1]": strict decoding error: unknown field "foo"'
    assert (patch.status, patch.causes) == (422, [("patch", why)])
    merge = await api.ask("PATCH", "configmaps/b?fieldValidation=Strict", {"foo": 1}, MERGE)
    assert merge.status == 422
    assert merge.body["message"].endswith('strict decoding error: unknown field "foo"')


async def test_warnings(api: Api) -> None:
    """Unknown fields, deprecated kinds and doubtful values are told of, also when the request fails."""
    odd = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d"},"data":{},"data":{"a":"2"},"zz":1}'
    said = await api.ask("POST", f"configmaps?{DRY}", odd)
    assert said.warnings == ['299 - "duplicate field \\"data\\""', '299 - "unknown field \\"zz\\""']
    deprecated = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
    assert (await api.ask("GET", "endpoints/nope")).warnings == [deprecated]
    twice = workload("Deployment", "web")
    twice["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": v} for v in "12"]
    hides = "spec.template.spec.containers[0].env[1]: hides previous definition of"
    assert (await api.ask("POST", f"{DEPLOY}?{DRY}", twice)).warnings == [
        f'299 - "{hides} \\"A\\", which may be dropped when using apply"'
    ]


# -- Deletions -------------------------------------------------------------------------------------------------------


async def test_preconditions(api: Api) -> None:
    """A deletion of another object than the one that was meant is a conflict, in these words."""
    made = (await api.make("configmaps", configmap("a")))["metadata"]
    wanted = (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    )
    for field, label, end in wanted:
        said = await api.ask("DELETE", "configmaps/a", {"preconditions": {field: "1"}})
        assert (said.status, said.body["message"]) == (
            409,
            f'Operation cannot be fulfilled on ConfigMap "a": the {label} in the precondition (1) does not match the '
            f"{label} in record ({made[field]}). The object might have been {end}",
        )
    right = {"preconditions": {"uid": made["uid"], "resourceVersion": made["resourceVersion"]}}
    assert (await api.ask("DELETE", "configmaps/a", right)).status == 200


async def test_a_finalizer_holds_an_object(api: Api) -> None:
    """It waits, marked; nothing may be added to its finalizers; it goes with the last of them."""
    await api.make("configmaps", configmap("a", finalizers=[FINALIZER]))
    marked = (await api.ask("DELETE", "configmaps/a")).body["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 0
    again = (await api.ask("DELETE", "configmaps/a")).body["metadata"]
    assert again["deletionTimestamp"] == marked["deletionTimestamp"]
    exists = await api.ask("POST", "configmaps", configmap("a"))
    assert (exists.status, exists.body["message"]) == (409, 'object is being deleted: configmaps "a" already exists')
    more = await api.ask("PATCH", "configmaps/a", {"metadata": {"finalizers": [FINALIZER, "test.ktui.dev/b"]}}, MERGE)
    assert more.causes == [
        (
            "metadata.finalizers",
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            '[]string{"test.ktui.dev/b"}',
        )
    ]
    await api.patch("configmaps/a", {"metadata": {"finalizers": None}}, MERGE)
    assert (await api.ask("GET", "configmaps/a")).status == 404


@pytest.mark.parametrize("policy", ["Background", "Foreground", "Orphan"])
async def test_propagation(policy: str, api: Api) -> None:
    """What belongs to an object goes after it, before it, or stays without an owner."""
    await api.make(DEPLOY, workload("Deployment", "web"))
    await api.until(f"{DEPLOY}/web", rolled_out(1))
    options = {"propagationPolicy": policy, "gracePeriodSeconds": 0}
    said = await api.ask("DELETE", f"{DEPLOY}/web", options)
    if policy == "Background":
        assert said.body["status"] == "Success"
    else:
        finalizer = "foregroundDeletion" if policy == "Foreground" else "orphan"
        assert said.body["metadata"]["finalizers"] == [finalizer]
    await api.gone(f"{DEPLOY}/web")
    if policy == "Orphan":
        left = (await api.get("apps/replicasets"))["items"]
        assert [replicaset["metadata"].get("ownerReferences") for replicaset in left] == [None]
        assert (await api.get("pods"))["items"]
        return
    for path in ("apps/replicasets", "pods"):
        await api.until(path, lambda found: not found["items"])


async def test_pods_end_gracefully(api: Api) -> None:
    """A pod that runs has its grace period, which may only become shorter; one that is on no node goes at once."""
    for name in ("a", "b"):
        await api.make("pods", pod(name))
    await api.make("pods", pod("pending", schedulerName="nobody"))
    for name in ("a", "b"):
        await api.until(f"pods/{name}", lambda found: found["status"]["phase"] == "Running")
    pending = (await api.ask("DELETE", "pods/pending")).body["metadata"]
    assert (pending["deletionGracePeriodSeconds"], pending["generation"]) == (0, 2)
    assert (await api.ask("GET", "pods/pending")).status == 404
    first = (await api.ask("DELETE", f"pods/a?{DRY}")).body["metadata"]
    assert (first["deletionGracePeriodSeconds"], first["generation"]) == (30, 2)
    now = (await api.ask("DELETE", "pods/a", {"gracePeriodSeconds": 0})).body["metadata"]
    assert now["deletionGracePeriodSeconds"] == 0
    assert (await api.ask("GET", "pods/a")).status == 404
    usual = (await api.ask("DELETE", "pods/b")).body["metadata"]
    assert usual["deletionGracePeriodSeconds"] == 30
    await api.gone("pods/b")


async def test_a_namespace_goes_with_its_contents(api: Api, objects: Objects) -> None:
    """It is Terminating while something in it has a finalizer, says so, and takes nothing new."""
    name = f"{api.namespace}-x"
    await api.make("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    inside = f"/api/v1/namespaces/{name}/configmaps"
    await api.make(inside, configmap("a", finalizers=[FINALIZER]))
    said = await api.ask("DELETE", f"/api/v1/namespaces/{name}", {"propagationPolicy": "Background"})
    assert said.body["status"]["phase"] == "Terminating"

    def remains(found: Body) -> list[Body]:
        return [one for one in found["status"]["conditions"] if one["status"] == "True"]

    stuck = await api.until(f"/api/v1/namespaces/{name}", lambda found: len(remains(found)) == 2)
    assert [(one["type"], one["reason"], one["message"]) for one in remains(stuck)] == [
        (
            "NamespaceContentRemaining",
            "SomeResourcesRemain",
            "Some resources are remaining: configmaps. has 1 resource instances",
        ),
        (
            "NamespaceFinalizersRemaining",
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {FINALIZER} in 1 resource instances",
        ),
    ]
    refused = await api.ask("POST", inside, configmap("b"))
    why = f"unable to create new content in namespace {name} because it is being terminated"
    assert (refused.status, refused.body["message"]) == (403, f'configmaps "b" is forbidden: {why}')
    await api.patch(f"{inside}/a", {"metadata": {"finalizers": None}}, MERGE)
    await api.gone(f"/api/v1/namespaces/{name}")
    for undying in ("default", "kube-system"):
        answer = await api.ask("DELETE", f"/api/v1/namespaces/{undying}")
        assert answer.body["message"] == f'namespaces "{undying}" is forbidden: this namespace may not be deleted'


async def test_a_claim_in_use_stays(api: Api) -> None:
    """A claim is protected while a pod on a node has it."""
    requests = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": requests}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "v"}, "spec": spec}
    made = await api.make("persistentvolumeclaims", claim)
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "v"}}]
    await api.make("pods", pod("p", volumes=volumes, nodeName="nowhere"))
    said = await api.ask("DELETE", "persistentvolumeclaims/v")
    assert said.body["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert (await api.ask("GET", "persistentvolumeclaims/v")).status == 200
    await api.ask("DELETE", "pods/p?gracePeriodSeconds=0")
    await api.gone("persistentvolumeclaims/v")


# -- Scale -----------------------------------------------------------------------------------------------------------


def replication_controller(name: str) -> Body:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    spec = {"replicas": 1, "selector": labels, "template": template}
    return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": name}, "spec": spec}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (DEPLOY, workload("Deployment", "web")),
        ("apps/replicasets", workload("ReplicaSet", "web")),
        ("apps/statefulsets", workload("StatefulSet", "web", serviceName="web")),
        ("replicationcontrollers", replication_controller("web")),
    ],
    ids=["deployment", "replicaset", "statefulset", "replicationcontroller"],
)
async def test_scale(path: str, body: Body, api: Api) -> None:
    """Each kind has the same small object for its size, takes it whole or as any patch, and grows and shrinks."""
    await api.make(path, body)
    await api.until(f"{path}/web", lambda found: found["status"].get("readyReplicas") == 1)
    shown = await api.get(f"{path}/web/scale")
    assert without(shown, "uid", "resourceVersion", "creationTimestamp") == {"name": "web", "namespace": api.namespace}
    assert (shown["kind"], shown["spec"], shown["status"]) == (
        "Scale",
        {"replicas": 1},
        {"replicas": 1, "selector": "app=web"},
    )
    wanted = {**shown, "spec": {"replicas": 3}}
    del wanted["metadata"]["resourceVersion"]
    assert (await api.ask("PUT", f"{path}/web/scale", wanted)).body["spec"] == {"replicas": 3}
    await api.until(f"{path}/web", lambda found: found["status"].get("readyReplicas") == 3)
    for how, patch, size in (
        (MERGE, {"spec": {"replicas": 1}}, 1),
        (STRATEGIC, {"spec": {"replicas": 2}}, 2),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 1}], 1),
        (MERGE, {"spec": {"replicas": 0}}, 0),
    ):
        assert (await api.patch(f"{path}/web/scale", patch, how))["spec"].get("replicas", 0) == size
    await api.until(f"{path}/web", lambda found: not found["status"].get("replicas"))


async def test_scale_refuses(api: Api) -> None:
    """Old versions, other objects, negative numbers, and those who may not."""
    await api.make(DEPLOY, workload("Deployment", "web", 0, paused=True))
    path = f"{DEPLOY}/web/scale"

    async def told(body: Body, **who: str) -> tuple[int, str]:
        said = await api.ask("PATCH", path, body, MERGE, **who)
        return said.status, said.body["message"]

    uid = (await api.get(path))["metadata"]["uid"]
    assert await told({"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 2}}) == (
        409,
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your '
        "changes to the latest version and try again",
    )
    assert await told({"metadata": {"uid": "zz"}, "spec": {"replicas": 2}}) == (
        409,
        'Operation cannot be fulfilled on deployments/scale.apps "web": Precondition failed: UID in precondition: zz, '
        f"UID in object meta: {uid}",
    )
    assert await told({"spec": {"replicas": -1}}) == (
        422,
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    )
    assert await told({"spec": {"replicas": 1}}, user="viewer") == (
        403,
        'deployments.apps "web" is forbidden: User "viewer" cannot patch resource "deployments/scale" in API group '
        f'"apps" in the namespace "{api.namespace}"',
    )


def definition(group: str) -> Body:
    number = {"type": "integer"}
    spec = {"type": "object", "properties": {"replicas": number, "size": {**number, "minimum": 1}}}
    status = {"type": "object", "properties": {"replicas": number, "selector": {"type": "string"}}}
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
        "subresources": {"status": {}, "scale": {**paths, "labelSelectorPath": ".status.selector"}},
    }
    names = {"kind": "Gadget", "plural": "gadgets"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


async def test_a_kind_nobody_taught(api: Api) -> None:
    """A definition is served, its objects are checked and scale, and it goes with the last of them."""
    group = f"x{secrets.token_hex(4)}.example.com"
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    dry = await api.ask("POST", f"{definitions}?{DRY}", definition(group))
    assert dry.body["status"]["conditions"] is None
    await api.make(definitions, definition(group))
    path = f"/apis/{group}/v1/namespaces/{api.namespace}/gadgets"
    await api.until(path, lambda found: found["kind"] == "GadgetList")
    gadget = {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": "a", "finalizers": [FINALIZER]}}
    made = await api.ask("POST", path, {**gadget, "spec": {"replicas": 2, "colour": "red"}})
    assert (made.body["spec"], made.warnings) == ({"replicas": 2}, ['299 - "unknown field \\"spec.colour\\""'])
    assert (await api.patch(f"{path}/a/scale", {"spec": {"replicas": 3}}, MERGE))["spec"] == {"replicas": 3}
    negative = await api.ask("PATCH", f"{path}/a/scale", {"spec": {"replicas": -3}}, MERGE)
    assert negative.causes == [(".spec.replicas", "Invalid value: -3: should be a non-negative integer")]
    small = await api.ask("PATCH", f"{path}/a", {"spec": {"size": 0}}, MERGE)
    assert small.causes == [("spec.size", "Invalid value: 0: spec.size in body should be greater than or equal to 1")]
    text = await api.ask("PATCH", f"{path}/a", {"spec": {"size": "x"}}, MERGE)
    assert text.causes[0] == (
        "spec.size",
        'Invalid value: "string": spec.size in body must be of type integer: "string"',
    )
    assert (await api.ask("PATCH", f"{path}/a", {"spec": {"size": 2}}, STRATEGIC)).status == 415
    await api.patch(f"{path}/a/status", {"status": {"replicas": 3, "selector": "app=x"}}, MERGE)
    assert (await api.get(f"{path}/a/scale"))["status"] == {"replicas": 3, "selector": "app=x"}
    said = await api.ask("DELETE", f"{definitions}/gadgets.{group}")
    assert [one["reason"] for one in said.body["status"]["conditions"] if one["type"] == "Terminating"] == [
        "InstanceDeletionPending"
    ]
    await api.until(f"{path}/a", lambda found: found["metadata"]["deletionTimestamp"])
    await api.patch(f"{path}/a", {"metadata": {"finalizers": None}}, MERGE)
    await api.gone(f"{definitions}/gadgets.{group}")
    await api.gone(path)


# -- Services --------------------------------------------------------------------------------------------------------

PORT = [{"port": 80}]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"ports": PORT, "clusterIP": "10.96.0.1"}, "spec.clusterIPs: failed to allocate IP 10.96.0.1: provided IP is "
         "already allocated"),
        ({"ports": PORT, "clusterIP": "10.1.2.3"}, "spec.clusterIPs: failed to allocate IP 10.1.2.3: the provided "
         "network does not match the current range"),
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}, "spec.ports[0].nodePort: provided port is not "
         "in the valid range. The range of valid ports is 30000-32767"),
        ({"ports": PORT, "selector": {"a b": "c"}}, "spec.selector: name part must consist of"),
        ({"ports": PORT, "sessionAffinity": "ClientIP",
          "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 100000}}},
         "spec.sessionAffinityConfig.clientIP.timeoutSeconds: must be greater than 0 and less than 86400"),
        ({"type": "LoadBalancer", "ports": PORT, "loadBalancerSourceRanges": ["foo"]},
         "spec.LoadBalancerSourceRanges[0]: must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
    ],
    ids=["taken", "foreign", "node-port", "selector", "affinity", "sources"],
)  # fmt: skip
async def test_a_service_is_refused(spec: Body, told: str, api: Api) -> None:
    """What cannot be had or makes no sense, in the API server's words."""
    said = await api.ask("POST", "services", service("s", **spec))
    assert said.status == 422
    field, _, why = told.partition(": ")
    ((told_field, message),) = said.causes
    assert (told_field, why in message) == (field, True), message


async def test_services_have_the_numbers_they_ask_for(api: Api) -> None:
    """A free address and node port are kept; a second service cannot have them; given back they are free again."""
    ports = [{"port": 80, "nodePort": 30000 + secrets.randbelow(80)}]
    address = f"10.96.0.{100 + secrets.randbelow(100)}"
    made = await api.make("services", service("s", type="NodePort", ports=ports, clusterIP=address))
    assert (made["spec"]["clusterIP"], made["spec"]["ports"][0]["nodePort"]) == (address, ports[0]["nodePort"])
    second = await api.ask("POST", "services", service("t", type="NodePort", ports=ports))
    assert second.causes == [
        ("spec.ports[0].nodePort", f"Invalid value: {ports[0]['nodePort']}: provided port is already allocated")
    ]
    await api.patch("services/s", {"spec": {"type": "ClusterIP"}}, MERGE)
    await api.make("services", service("t", type="NodePort", ports=ports))


async def test_services_of_every_type(api: Api) -> None:
    """Each has the fields of its type, and no others."""
    for name, spec in (
        ("lb", {"type": "LoadBalancer", "ports": PORT, "externalTrafficPolicy": "Local"}),
        ("external", {"type": "ExternalName", "externalName": "a.example.com"}),
        ("headless", {"clusterIP": "None", "selector": {"a": "b"}}),
        ("bare", {"clusterIP": "None", "ports": PORT}),
        ("sticky", {"ports": PORT, "sessionAffinity": "ClientIP"}),
        ("loose", {"ports": PORT, "sessionAffinity": "None", "sessionAffinityConfig": {"clientIP": {}}}),
    ):
        await api.make("services", service(name, **spec))
    found = {one["metadata"]["name"]: one for one in (await api.get("services"))["items"]}
    balanced = found["lb"]["spec"]
    assert {"healthCheckNodePort", "allocateLoadBalancerNodePorts"} <= balanced.keys()
    assert found["lb"]["status"] == {"loadBalancer": {}}
    assert found["external"]["spec"].keys() == {"type", "externalName", "sessionAffinity"}
    assert found["headless"]["spec"]["ipFamilies"] == ["IPv4"]
    assert found["bare"]["spec"]["ipFamilyPolicy"] == "RequireDualStack"
    assert found["sticky"]["spec"]["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert "sessionAffinityConfig" not in found["loose"]["spec"]


async def test_endpoints_given_by_hand_are_left_alone(api: Api) -> None:
    """A slice for a service without a selector stays as it was made, and stays when the service goes."""
    await api.make("services", service("s", ports=PORT))
    labels = {"kubernetes.io/service-name": "s"}
    head = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice"}
    body: Body = {**head, "metadata": {"name": "s-1", "labels": labels}, "addressType": "IPv4", "ports": [{"port": 8}]}
    for addresses, why in (
        ([], "Required value: must contain at least 1 address"),
        (["x"], 'Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
        (["127.0.0.1"], 'Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'),
    ):
        said = await api.ask("POST", "discovery/endpointslices", {**body, "endpoints": [{"addresses": addresses}]})
        assert [message for _, message in said.causes] == [why]
    made = await api.make("discovery/endpointslices", {**body, "endpoints": [{"addresses": ["192.0.2.9"]}]})
    # A second service is furnished meanwhile: by then the first one would have been, too.
    await api.make("services", service("t", ports=PORT, selector={"a": "b"}))
    await api.until("discovery/endpointslices?labelSelector=kubernetes.io/service-name=t", lambda found: found["items"])
    of_mine = "discovery/endpointslices?labelSelector=kubernetes.io/service-name=s"
    assert [one["metadata"] for one in (await api.get(of_mine))["items"]] == [made["metadata"]]


# -- Evictions -------------------------------------------------------------------------------------------------------


def eviction(name: str, **options: Any) -> Body:
    body: Body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    return body | ({"deleteOptions": options} if options else {})


def budget(name: str, **spec: Any) -> Body:
    whole = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": whole}


async def test_a_budget_allows_one_eviction_after_the_other(api: Api) -> None:
    """The second is refused with the budget's numbers, at once, and allowed when there is another pod."""
    budgets = "policy/poddisruptionbudgets"
    await api.make(DEPLOY, workload("Deployment", "web", 3))
    await api.until(f"{DEPLOY}/web", rolled_out(3))
    await api.make(budgets, budget("b", minAvailable=2))
    await api.until(f"{budgets}/b", lambda found: found["status"].get("disruptionsAllowed") == 1)
    first, second, _ = [one["metadata"]["name"] for one in (await api.get("pods"))["items"]]
    other = await api.ask("POST", f"pods/{first}/eviction", eviction("other"))
    assert (other.status, other.body["message"]) == (400, "name in URL does not match name in Eviction object")
    done = await api.ask("POST", f"pods/{first}/eviction", eviction(first))
    assert (done.status, done.body["status"]) == (201, "Success")
    refused = await api.ask("POST", f"pods/{second}/eviction", eviction(second))
    assert (refused.status, refused.body["message"]) == (
        429,
        "Cannot evict pod as it would violate the pod's disruption budget.",
    )
    assert refused.body["details"]["causes"][0]["reason"] == "DisruptionBudget"
    assert refused.causes[0][1].startswith("The disruption budget b needs 2 healthy pods and has ")
    await api.until(f"{budgets}/b", lambda found: found["status"]["disruptionsAllowed"] == 1)
    await api.make(budgets, budget("c", minAvailable=1))
    await api.until(f"{budgets}/c", lambda found: "disruptionsAllowed" in found["status"])
    several = await api.ask("POST", f"pods/{second}/eviction", eviction(second))
    assert (several.status, several.body["message"]) == (
        500,
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    )


async def test_budgets_count(api: Api) -> None:
    """Their status says how many of how many pods must and may, by either way to say it."""
    budgets = "policy/poddisruptionbudgets"
    await api.make(DEPLOY, workload("Deployment", "web", 3))
    await api.until(f"{DEPLOY}/web", rolled_out(3))
    await api.make(budgets, budget("b", maxUnavailable="50%"))
    found = await api.until(f"{budgets}/b", lambda found: found["status"].get("disruptionsAllowed") == 2)
    counts = {key: value for key, value in found["status"].items() if key != "conditions"}
    assert counts == {
        "currentHealthy": 3,
        "desiredHealthy": 1,
        "disruptionsAllowed": 2,
        "expectedPods": 3,
        "observedGeneration": 1,
    }
    negative = await api.ask("POST", budgets, budget("c", minAvailable=-1))
    assert negative.causes == [("spec.minAvailable", "Invalid value: -1: must be greater than or equal to 0")]


# -- Nodes and quotas --------------------------------------------------------------------------------------------------


async def test_taints_are_checked(api: Api, cluster: Cluster) -> None:
    """A taint with a bad key or effect is refused, in a dry run, too."""
    node = next(one["metadata"]["name"] for one in (await api.get("/api/v1/nodes"))["items"])
    taints = [{"key": "a b", "effect": "NoSchedule"}, {"key": "a", "effect": "Foo"}]
    said = await api.ask("PATCH", f"/api/v1/nodes/{node}?{DRY}", {"spec": {"taints": taints}}, MERGE)
    assert [field for field, _ in said.causes] == ["metadata.taints[0].key", "metadata.taints[1].effect"]
    assert said.causes[1][1] == (
        'Unsupported value: "Foo": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'
    )


async def test_a_quota_refuses(api: Api) -> None:
    """One more than the quota has room for is forbidden, in a dry run, too."""
    hard = {"services": "1", "count/deployments.apps": "0"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard}}
    await api.make("resourcequotas", quota)
    await api.until("resourcequotas/q", lambda found: found["status"]["used"]["services"] == "0")
    await api.make("services", service("s", ports=PORT))
    for query in ("", f"?{DRY}"):
        said = await api.ask("POST", f"services{query}", service("t", ports=PORT))
        why = "exceeded quota: q, requested: services=1, used: services=1, limited: services=1"
        assert (said.status, said.body["message"]) == (403, f'services "t" is forbidden: {why}')
    await api.until("resourcequotas/q", lambda found: found["status"]["used"]["services"] == "1")
    assert (await api.ask("POST", DEPLOY, workload("Deployment", "web"))).status == 403


async def test_a_quota_binds_controllers(api: Api) -> None:
    """What a controller may not create it tells: in events, and a ReplicaSet in a condition that its Deployment has."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}
    await api.make("resourcequotas", quota)
    await api.until("resourcequotas/q", lambda found: found["status"]["used"]["pods"] == "0")
    daemonset = workload("DaemonSet", "ds")
    del daemonset["spec"]["replicas"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}}
    await api.make(DEPLOY, workload("Deployment", "web"))
    await api.make("apps/statefulsets", workload("StatefulSet", "db"))
    await api.make("apps/daemonsets", daemonset)
    await api.make("batch/jobs", {**job, "spec": {"template": {"spec": pod_spec(restartPolicy="Never")}}})
    starts = {
        "ReplicaSet": 'Error creating: pods "web-',
        "StatefulSet": 'Create Pod db-0 in StatefulSet db failed error: pods "db-0"',
        "DaemonSet": 'Error creating: pods "ds-',
        "Job": 'Error creating: pods "j-',
    }
    failed = "events?fieldSelector=reason%3DFailedCreate"
    told = await api.until(failed, lambda found: {one["involvedObject"]["kind"] for one in found["items"]} >= {*starts})
    why = " is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"
    for event in told["items"]:
        assert event["type"] == "Warning"
        assert event["message"].endswith(why)
        assert (
            event["message"]
            .removeprefix("(combined from similar events): ")
            .startswith(starts[event["involvedObject"]["kind"]])
        )

    def failure(found: Body) -> Body:
        return next(one for one in found["status"]["conditions"] if one["type"] == "ReplicaFailure")

    condition = failure(await api.until(f"{DEPLOY}/web", failure))
    assert (condition["status"], condition["reason"]) == ("True", "FailedCreate")
    assert condition["message"].endswith(why)
    assert (await api.get("pods"))["items"] == []
    await api.patch("resourcequotas/q", {"spec": {"hard": {"pods": "9"}}}, MERGE)
    ours = "pods?labelSelector=app%3Dweb"
    await api.until(ours, lambda found: len(found["items"]) == 1)
    await api.until(
        f"{DEPLOY}/web", lambda found: all(one["type"] != "ReplicaFailure" for one in found["status"]["conditions"])
    )


# -- Rollouts --------------------------------------------------------------------------------------------------------


def with_env(value: str) -> Body:
    container = {"name": "web", "env": [{"name": "A", "value": value}]}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


async def revisions(api: Api) -> dict[str, Body]:
    """The annotations of the ReplicaSets, by the revision each stands for."""
    found = (await api.get("apps/replicasets"))["items"]
    marks = [one["metadata"]["annotations"] for one in found]
    return {mark["deployment.kubernetes.io/revision"]: mark for mark in marks}


async def test_undoing_a_rollout(api: Api) -> None:
    """An old template takes its ReplicaSet up again, as a new revision that remembers its old number."""
    await api.make(DEPLOY, workload("Deployment", "web", 2))
    await api.until(f"{DEPLOY}/web", rolled_out(2))
    template = (await api.get(f"{DEPLOY}/web"))["spec"]["template"]
    cause = {"metadata": {"annotations": {"kubernetes.io/change-cause": "two"}}}
    await api.patch(f"{DEPLOY}/web", {**cause, **with_env("2")})
    await api.until(f"{DEPLOY}/web", rolled_out(2))
    marks = await revisions(api)
    assert "kubernetes.io/change-cause" not in marks["1"]
    assert marks["2"]["kubernetes.io/change-cause"] == "two"
    await api.patch(f"{DEPLOY}/web", [{"op": "replace", "path": "/spec/template", "value": template}], JSON_PATCH)
    found = await api.until(f"{DEPLOY}/web", rolled_out(2))
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    marks = await revisions(api)
    assert marks.keys() == {"2", "3"}
    assert marks["3"]["deployment.kubernetes.io/revision-history"] == "1"
    assert [(one["type"], one["reason"]) for one in found["status"]["conditions"]] == [
        ("Available", "MinimumReplicasAvailable"),
        ("Progressing", "NewReplicaSetAvailable"),
    ]


async def test_a_paused_rollout(api: Api) -> None:
    """While it is paused a new template makes no pods, but a new size does; resumed, it rolls out."""

    def progress(found: Body) -> str:
        return next(str(one["reason"]) for one in found["status"]["conditions"] if one["type"] == "Progressing")

    await api.make(DEPLOY, workload("Deployment", "web", 1))
    await api.until(f"{DEPLOY}/web", rolled_out(1))
    await api.patch(f"{DEPLOY}/web", {"spec": {"paused": True}})
    await api.until(f"{DEPLOY}/web", lambda found: progress(found) == "DeploymentPaused")
    await api.patch(f"{DEPLOY}/web", with_env("2"))
    await api.patch(f"{DEPLOY}/web/scale", {"spec": {"replicas": 2}}, MERGE)
    await api.until(f"{DEPLOY}/web", lambda found: found["status"].get("availableReplicas") == 2)
    assert len((await api.get("apps/replicasets"))["items"]) == 1
    await api.patch(f"{DEPLOY}/web", {"spec": {"paused": None}})
    await api.until(f"{DEPLOY}/web", rolled_out(2))
    assert (await revisions(api)).keys() == {"1", "2"}


async def test_a_rollout_past_its_deadline(api: Api) -> None:
    """A rollout that gets nowhere says so."""
    body = workload("Deployment", "web", progressDeadlineSeconds=1)
    body["spec"]["template"]["spec"]["nodeSelector"] = {"no": "where"}
    await api.make(DEPLOY, body)

    def late(found: Body) -> bool:
        return any(
            (one["status"], one["reason"]) == ("False", "ProgressDeadlineExceeded")
            for one in found["status"]["conditions"]
        )

    await api.until(f"{DEPLOY}/web", late)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_revisions_of_sets(kind: str, api: Api) -> None:
    """A new template is a new revision, with the set's annotations; an old one becomes the newest again."""
    path, body = f"apps/{kind.lower()}s/web", workload(kind, "web")
    if kind == "DaemonSet":
        del body["spec"]["replicas"]
        node = next(
            one["metadata"]["name"]
            for one in (await api.get("/api/v1/nodes"))["items"]
            if one["metadata"]["name"].startswith(("fake", "worker"))
        )
        body["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    else:
        body["spec"]["serviceName"] = "web"

    def complete(found: Body) -> bool:
        status = found["status"]
        if status["observedGeneration"] != found["metadata"]["generation"]:
            return False
        if kind == "DaemonSet":
            return bool(status["updatedNumberScheduled"] == status["numberAvailable"] == 1)
        return bool(status["currentRevision"] == status["updateRevision"] and status["readyReplicas"] == 1)

    async def numbers() -> list[tuple[int, str]]:
        found = (await api.get("apps/controllerrevisions"))["items"]
        label = "controller.kubernetes.io/hash" if kind == "StatefulSet" else "controller-revision-hash"
        assert all(label in one["metadata"]["labels"] for one in found)
        marks = [(one["revision"], one["metadata"].get("annotations") or {}) for one in found]
        return sorted((number, mark.get("kubernetes.io/change-cause", "")) for number, mark in marks)

    await api.make(path.rpartition("/")[0], body)
    await api.until(path, complete)
    first = (await api.get("apps/controllerrevisions"))["items"][0]
    restarted = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}}
    cause = {"annotations": {"kubernetes.io/change-cause": "two"}}
    await api.patch(path, {"metadata": cause, "spec": {"template": restarted}})
    await api.until(path, complete)
    assert await numbers() == [(1, ""), (2, "two")]
    await api.patch(path, first["data"])
    await api.until(path, complete)
    assert await numbers() == [(2, "two"), (3, "")]
    (one,) = [pod for pod in (await api.get("pods"))["items"] if "deletionTimestamp" not in pod["metadata"]]
    carried = one["metadata"]["labels"]["controller-revision-hash"]
    status = (await api.get(path))["status"]
    assert carried == (status["updateRevision"] if kind == "StatefulSet" else first["metadata"]["name"][len("web-") :])


# -- Jobs ------------------------------------------------------------------------------------------------------------


async def test_a_job_made_from_a_cronjob(api: Api) -> None:
    """It keeps its own labels, pauses and goes on, and goes with the CronJob."""
    never = pod_spec(restartPolicy="Never")
    spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": never}}}}
    cronjob = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "cj"}, "spec": spec}
    made = await api.make("batch/cronjobs", cronjob)
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "cj", "uid": made["metadata"]["uid"]}
    metadata = {
        "name": "run",
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
        "labels": {"a": "b"},
        "ownerReferences": [{**owner, "controller": True}],
    }
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
    job = await api.make("batch/jobs", {**body, "spec": {"suspend": True, "template": {"spec": never}}})
    assert job["metadata"]["labels"] == {"a": "b"}

    def suspended(found: Body) -> Body:
        return next(one for one in found["status"]["conditions"] if one["type"] == "Suspended")

    found = await api.until("batch/jobs/run", suspended)
    condition = suspended(found)
    assert (condition["status"], condition["reason"], condition["message"]) == ("True", "JobSuspended", "Job suspended")
    assert condition["lastProbeTime"] == condition["lastTransitionTime"]
    assert "startTime" not in found["status"]
    await api.patch("batch/jobs/run", {"spec": {"suspend": False}})
    found = await api.until("batch/jobs/run", lambda found: found["status"].get("active") == 1)
    assert (suspended(found)["status"], suspended(found)["reason"]) == ("False", "JobResumed")
    (running,) = (await api.get("pods"))["items"]
    assert {"job-name", "batch.kubernetes.io/controller-uid"} <= running["metadata"]["labels"].keys()
    await api.patch("batch/jobs/run", {"spec": {"suspend": True}})
    await api.until("batch/jobs/run", lambda found: suspended(found)["status"] == "True")
    await api.until("pods", lambda found: all("deletionTimestamp" in one["metadata"] for one in found["items"]))
    await api.ask("DELETE", "batch/cronjobs/cj", {"propagationPolicy": "Background"})
    await api.gone("batch/jobs/run")


async def test_a_jobs_pods_are_counted_before_they_go(api: Api) -> None:
    """A finalizer holds them until then; one that is deleted has failed, and a job that goes lets go of them."""
    metadata, never = {"name": "j"}, pod_spec(restartPolicy="Never", schedulerName="nobody")
    await api.make(
        "batch/jobs",
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": never}}},
    )
    found = await api.until("pods", lambda found: len(found["items"]) == 1)
    (pod,) = found["items"]
    assert pod["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]
    await api.ask("DELETE", f"pods/{pod['metadata']['name']}")
    job = await api.until("batch/jobs/j", lambda found: found["status"].get("failed") == 1)
    assert "conditions" not in job["status"]
    await api.gone(f"pods/{pod['metadata']['name']}")
    found = await api.until("pods", lambda found: len(found["items"]) == 1)
    (pod,) = found["items"]
    assert pod["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]
    await api.ask("DELETE", "batch/jobs/j?propagationPolicy=Orphan")
    await api.gone("batch/jobs/j")
    left = await api.until(f"pods/{pod['metadata']['name']}", lambda found: "finalizers" not in found["metadata"])
    assert "ownerReferences" not in left["metadata"]


# -- Reviews ---------------------------------------------------------------------------------------------------------


async def test_reviews(api: Api, cluster: Cluster) -> None:
    """Who asks what it may is told, with the reason where somebody granted it."""
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    head = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    own = cluster.own_namespaces[0]

    async def told(user: str, verb: str, resource: str, namespace: str, group: str = "") -> Body:
        attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
        said = await api.ask("POST", reviews, {**head, "spec": {"resourceAttributes": attributes}}, user=user)
        status: Body = said.body["status"]
        return status

    granted = f'RoleBinding "developers-edit/{own}" of ClusterRole "edit" to Group "developers"'
    assert await told("admin", "delete", "nodes", "") == {"allowed": True}
    assert await told("dev", "patch", "deployments", own, "apps") == {
        "allowed": True,
        "reason": f"RBAC: allowed by {granted}",
    }
    assert await told("viewer", "list", "pods", "") == {
        "allowed": True,
        "reason": 'RBAC: allowed by ClusterRoleBinding "viewers-view" of ClusterRole "view" to Group "viewers"',
    }
    assert await told("viewer", "patch", "deployments", own, "apps") == {"allowed": False}
    assert await told("nobody", "list", "pods", own) == {"allowed": False}


async def test_named_resources(api: Api) -> None:
    """A rule for one name allows that name alone, and the list of rules says so."""
    rule = {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web"], "verbs": ["patch"]}
    group = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": [rule]}
    subject = {"apiGroup": group, "kind": "User", "name": "nobody"}
    reference = {"apiGroup": group, "kind": "Role", "name": "r"}
    binding = {**role, "kind": "RoleBinding", "roleRef": reference, "subjects": [subject]}
    del binding["rules"]
    await api.make("rbac/roles", role)
    await api.make("rbac/rolebindings", binding)
    version = "authorization.k8s.io/v1"
    head = {"apiVersion": version, "kind": "SelfSubjectRulesReview", "spec": {"namespace": api.namespace}}

    async def rules() -> Any:
        said = await api.ask("POST", f"/apis/{version}/selfsubjectrulesreviews", head, user="nobody")
        assert said.body["status"]["incomplete"] is False
        return [one for one in said.body["status"]["resourceRules"] if one.get("resourceNames")]

    async def told() -> bool:
        return bool(await rules() == [rule])

    await until(told)
    for name, allowed in (("web", True), ("other", False), ("", False)):
        attributes = {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": api.namespace}
        body = {"apiVersion": version, "kind": "SelfSubjectAccessReview"}
        spec = {"resourceAttributes": {**attributes, "name": name}}
        said = await api.ask("POST", f"/apis/{version}/selfsubjectaccessreviews", {**body, "spec": spec}, user="nobody")
        assert said.body["status"]["allowed"] is allowed


async def test_edit_and_view_grant_what_they_do_upstream(api: Api, cluster: Cluster) -> None:
    """Those of ktui's actions that tell the two roles apart."""
    version = "authorization.k8s.io/v1"
    head = {"apiVersion": version, "kind": "SelfSubjectRulesReview", "spec": {"namespace": cluster.own_namespaces[0]}}

    async def rights(user: str) -> set[tuple[str, str]]:
        said = await api.ask("POST", f"/apis/{version}/selfsubjectrulesreviews", head, user=user)
        rules = said.body["status"]["resourceRules"]
        return {(verb, resource) for rule in rules for verb in rule["verbs"] for resource in rule["resources"]}

    dev, viewer = await rights("dev"), await rights("viewer")
    for verb, resource in (
        ("create", "pods/eviction"),
        ("patch", "deployments/scale"),
        ("patch", "replicationcontrollers/scale"),
        ("delete", "services"),
        ("get", "secrets"),
    ):
        assert (verb, resource) in dev
        assert (verb, resource) not in viewer
    assert ("patch", "endpoints") not in dev
    assert {("get", "replicationcontrollers/scale"), ("get", "resourcequotas/status")} <= viewer


# -- kubectl ---------------------------------------------------------------------------------------------------------


async def test_kubectl_through_a_life(namespace: str, kubectl: Kubectl, api: Api) -> None:
    """kubectl's own commands work: create, expose, scale, set, roll back, restart, label, delete."""

    async def run(*arguments: str) -> str:
        return (await kubectl("-n", namespace, *arguments)).strip()

    assert await run("create", "deployment", "web", f"--image={IMAGE}", "--replicas=0") == "deployment.apps/web created"
    tolerant = {"spec": {"template": {"spec": {"tolerations": [TOLERATION]}}}}
    await run("patch", "deployment", "web", "-p", json.dumps(tolerant))
    assert await run("expose", "deployment", "web", "--port=80", "--type=LoadBalancer") == "service/web exposed"
    assert await run("scale", "deployment", "web", "--replicas=2") == "deployment.apps/web scaled"
    told = await run("rollout", "status", "deployment", "web", "--timeout=40s")
    assert told.endswith('deployment "web" successfully rolled out')
    assert await run("set", "env", "deployment/web", "A=1") == "deployment.apps/web env updated"
    await run("rollout", "status", "deployment", "web", "--timeout=40s")
    assert await run("rollout", "undo", "deployment", "web") == "deployment.apps/web rolled back"
    await run("rollout", "status", "deployment", "web", "--timeout=40s")
    history = (await run("rollout", "history", "deployment", "web")).splitlines()
    assert [line.split()[0] for line in history[2:]] == ["1", "3", "4"]  # 2 runs again, as 4
    assert await run("rollout", "restart", "deployment", "web") == "deployment.apps/web restarted"
    await run("label", "deployment", "web", "x=y")
    assert await run("create", "job", "j", f"--image={IMAGE}", "--dry-run=server", "-o", "name") == "job.batch/j"
    await run("delete", "deployment,service", "web", "--cascade=foreground", "--timeout=40s")
    assert await run("get", "deployments,services", "-o", "name") == ""
