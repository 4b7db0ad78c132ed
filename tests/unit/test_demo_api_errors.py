"""The embedded cluster's refusals: status and words of a real Kubernetes 1.36."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.unit.demo_api import CONFIGMAPS, DEPLOYMENTS, PODS, SERVICES, Cluster, Object, deployment, running

NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
IN_TEMPLATE = "spec.template.spec"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        yield started


def spec(**fields: Any) -> Callable[[Object], None]:
    """A change of a Deployment's spec."""
    return lambda obj: obj["spec"].update(fields)


def container(**fields: Any) -> Callable[[Object], None]:
    """A change of a Deployment's first container."""
    return lambda obj: obj["spec"]["template"]["spec"]["containers"][0].update(fields)


def pod_spec(**fields: Any) -> Callable[[Object], None]:
    """A change of a Deployment's pod spec."""
    return lambda obj: obj["spec"]["template"]["spec"].update(fields)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (spec(replicas=-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (spec(selector={}), "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
        (
            spec(selector=None),
            "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
            '{"app":"web"}: `selector` does not match template `labels`]',
        ),
        (
            spec(selector={"matchLabels": {"a": "b"}}),
            'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ),
        (
            spec(strategy={"type": "Recreate", "rollingUpdate": {}}),
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
        ),
        (
            spec(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
        ),
        (
            spec(progressDeadlineSeconds=1, minReadySeconds=1),
            "spec.progressDeadlineSeconds: Invalid value: 1: must be greater than minReadySeconds",
        ),
        (pod_spec(containers=[]), f"{IN_TEMPLATE}.containers: Required value"),
        (
            pod_spec(restartPolicy="Never"),
            f'{IN_TEMPLATE}.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        ),
        (container(image=""), f"{IN_TEMPLATE}.containers[0].image: Required value"),
        (
            container(ports=[{"containerPort": 99999}]),
            f"{IN_TEMPLATE}.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, "
            "inclusive",
        ),
        (
            container(imagePullPolicy="Foo"),
            f'{IN_TEMPLATE}.containers[0].imagePullPolicy: Unsupported value: "Foo": supported values: "Always", '
            '"IfNotPresent", "Never"',
        ),
        (
            container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            f'{IN_TEMPLATE}.containers[0].volumeMounts[0].name: Not found: "v"',
        ),
        (
            container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            f'{IN_TEMPLATE}.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu '
            "limit of 1",
        ),
    ],
)
async def test_invalid_deployments(cluster: Cluster, change: Callable[[Object], None], problem: str) -> None:
    """Each broken rule is told in the words of a real API server, with a cause for every field."""
    obj = deployment()
    change(obj)
    answer = await cluster.post(DEPLOYMENTS, obj)
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    assert answer.message == f'Deployment.apps "web" is invalid: {problem}'
    details = answer.json["details"]
    assert (details["name"], details["group"], details["kind"]) == ("web", "apps", "Deployment")
    assert all(cause["field"] in problem and cause["message"] in problem for cause in details["causes"])


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "spec.ports: Required value"),
        (
            {"ports": [{"port": 80}, {"port": 81}]},
            "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]",
        ),
        (
            {"ports": [{"port": 80, "nodePort": 30080}]},
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]},
            "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid "
            "ports is 30000-32767",
        ),
        ({"type": "ExternalName"}, "spec.externalName: Required value"),
        (
            {"type": "Foo", "ports": [{"port": 80}]},
            'spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", '
            '"NodePort"',
        ),
        (
            {"clusterIP": "1.2.3.4", "ports": [{"port": 80}]},
            'spec.clusterIPs: Invalid value: ["1.2.3.4"]: failed to allocate IP 1.2.3.4: the provided network does not '
            "match the current range",
        ),
    ],
)
async def test_invalid_services(cluster: Cluster, fields: Object, problem: str) -> None:
    """Each broken rule is told in the words of a real API server."""
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": fields}
    answer = await cluster.post(SERVICES, body)
    assert (answer.status, answer.message) == (422, f'Service "s" is invalid: {problem}')


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            "{bad",
            400,
            "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse "
            "error: invalid character 'b' looking for beginning of object key string ({bad)",
        ),
        (
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}},
            400,
            'Service in version "v1" cannot be handled as a Deployment: converting (v1.Service) to (apps.Deployment): '
            "unknown conversion",
        ),
        (
            deployment() | {"spec": {"replicas": "two"}},
            400,
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go '
            "struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            deployment() | {"metadata": {"name": "web", "namespace": "lesson"}},
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            deployment() | {"metadata": {}},
            422,
            'Deployment.apps "" is invalid: metadata.name: Required value: name or generateName is required',
        ),
        (
            deployment() | {"metadata": {"name": "Bad_Name"}},
            422,
            f'Deployment.apps "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": {NAME_RULE}',
        ),
    ],
)
async def test_objects_that_are_none(cluster: Cluster, body: Any, status: int, message: str) -> None:
    """Bodies that are no such object are refused with a real server's status and words."""
    answer = await cluster.post(DEPLOYMENTS, body)
    assert (answer.status, answer.message) == (status, message)


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", f"{PODS}/nope", 404, 'pods "nope" not found'),
        ("GET", f"{DEPLOYMENTS}/nope", 404, 'deployments.apps "nope" not found'),
        ("GET", "/api/v1/namespaces/shop/foos", 404, "the server could not find the requested resource"),
        ("PUT", PODS, 405, "the server does not allow this method on the requested resource"),
        ("DELETE", "/api/v1/namespaces/kube-system", 404, 'namespaces "kube-system" not found'),
    ],
)
async def test_what_is_not_there(cluster: Cluster, method: str, path: str, status: int, message: str) -> None:
    """Missing objects, resources and methods are told apart."""
    answer = await cluster.request(method, path)
    assert (answer.status, answer.message) == (status, message)


async def test_a_missing_group_is_no_status(cluster: Cluster) -> None:
    """An unknown group is answered in plain text."""
    answer = await cluster.get("/apis/foo.bar/v1")
    assert (answer.status, answer.headers["Content-Type"], answer.text) == (
        404,
        "text/plain; charset=utf-8",
        "404 page not found\n",
    )


async def test_names_are_taken_once(cluster: Cluster) -> None:
    """A second object of the same name is refused with 409 AlreadyExists."""
    await cluster.post(DEPLOYMENTS, deployment())
    answer = await cluster.post(DEPLOYMENTS, deployment())
    assert (answer.status, answer.json["reason"]) == (409, "AlreadyExists")
    assert answer.message == 'deployments.apps "web" already exists'


async def test_a_namespace_must_exist_and_stay(cluster: Cluster) -> None:
    """Nothing is created in a missing or a terminating namespace."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    missing = await cluster.post("/api/v1/namespaces/nons/configmaps", body)
    await cluster.request("DELETE", "/api/v1/namespaces/shop")
    refused = await cluster.post(CONFIGMAPS, body)
    assert (missing.status, missing.message) == (404, 'namespaces "nons" not found')
    assert (refused.status, refused.message) == (
        403,
        'configmaps "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
    )


async def test_selectors_and_immutable_data_stay(cluster: Cluster) -> None:
    """What must not change is refused, naming the field."""
    await cluster.post(DEPLOYMENTS, deployment())
    selector = await cluster.patch(f"{DEPLOYMENTS}/web", {"spec": {"selector": {"matchLabels": {"x": "y"}}}})
    assert selector.status == 422
    assert 'spec.selector: Invalid value: {"matchLabels":{"app":"web","x":"y"}}: field is immutable' in selector.message
    fixed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "immutable": True, "data": {"a": "b"}}
    await cluster.post(CONFIGMAPS, fixed)
    data = await cluster.patch(f"{CONFIGMAPS}/a", {"data": {"a": "c"}})
    assert data.message == 'ConfigMap "a" is invalid: data: Forbidden: field is immutable when `immutable` is set'
