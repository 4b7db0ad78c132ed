"""Endpoints, EndpointSlices, load balancers and disruption budgets of the embedded cluster."""

from __future__ import annotations

from typing import Any

import pytest

from ktui.demo.controllers.loadbalancer import ANNOTATION
from ktui.demo.deletion import request_delete
from ktui.demo.storage import Object
from tests.unit.demo_world import World


def serving(world: World, name: str = "web", port: int | str = 8080, **spec: Any) -> Object:
    """Creates a Service in front of the pods with the same name as label."""
    ports = [{"port": 80, "targetPort": port}]
    return world.put("services", "Service", name, spec={"selector": {"app": name}, "ports": ports, **spec})


def slices(world: World, name: str = "web") -> list[Object]:
    label = "kubernetes.io/service-name"
    every = world.storage.list("endpointslices.discovery.k8s.io")
    return [one for one in every if one["metadata"]["labels"].get(label) == name]


def addresses(world: World, *, ready: bool) -> set[str]:
    """Returns the addresses in the slices of `web` by readiness."""
    found = [endpoint for one in slices(world) for endpoint in one["endpoints"] or ()]
    return {endpoint["addresses"][0] for endpoint in found if endpoint["conditions"]["ready"] == ready}


def test_a_service_without_pods_has_one_empty_slice() -> None:
    """Endpoints and ports are null, as on a real cluster, and the legacy object has no subsets."""
    world = World()
    serving(world)
    world.clock.advance(1)
    (one,) = slices(world)
    assert (one["endpoints"], one["ports"]) == (None, None)
    assert one["metadata"]["name"].startswith("web-")
    assert "subsets" not in world.get("endpoints", "web")


def test_endpoints_follow_readiness() -> None:
    """A pod is listed as soon as it has an address, and becomes ready when its Ready condition does."""
    world = World()
    serving(world)
    world.deployment("web", 3, behaviour="slow-start=20")
    world.clock.advance(12)
    assert (len(addresses(world, ready=True)), len(addresses(world, ready=False))) == (0, 3)
    world.clock.advance(30)
    assert (len(addresses(world, ready=True)), len(addresses(world, ready=False))) == (3, 0)
    (subset,) = world.get("endpoints", "web")["subsets"]
    assert {one["ip"] for one in subset["addresses"]} == addresses(world, ready=True)
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_pods_that_leave_are_terminating_then_gone() -> None:
    """While a pod stops it still serves but is not ready."""
    world = World()
    serving(world)
    pod = world.pod("web", behaviour="slow-stop=10")
    world.clock.advance(20)
    request_delete(world.storage, "pods", "default", pod["metadata"]["name"])
    world.clock.advance(1)
    (endpoint,) = slices(world)[0]["endpoints"]
    assert endpoint["conditions"] == {"ready": False, "serving": True, "terminating": True}
    world.clock.advance(15)
    assert slices(world)[0]["endpoints"] is None


def test_named_ports_are_looked_up_in_the_pod() -> None:
    """A targetPort by name is the pod's port of that name; an unknown name leaves no port."""
    world = World()
    serving(world, port="http")
    ports = [{"name": "http", "containerPort": 9000}]
    world.pod("web", containers=[{"name": "web", "image": "web:1", "ports": ports}])
    world.clock.advance(20)
    assert [port["port"] for port in slices(world)[0]["ports"]] == [9000]
    world.change("services", "web", ports=[{"port": 80, "targetPort": "nope"}])
    world.clock.advance(1)
    assert slices(world)[0]["ports"] is None


def test_headless_services_are_marked() -> None:
    """Their slices carry the label that says so."""
    world = World()
    serving(world, clusterIP="None")
    world.clock.advance(1)
    assert slices(world)[0]["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_unready_addresses_are_published_on_demand() -> None:
    """With publishNotReadyAddresses every pod is ready for the Service."""
    world = World()
    serving(world, publishNotReadyAddresses=True)
    world.deployment("web", 2, behaviour="slow-start=60")
    world.clock.advance(15)
    assert len(addresses(world, ready=True)) == 2


def test_more_than_a_hundred_endpoints_take_several_slices() -> None:
    """No slice has more than 100, together they have all."""
    world = World(nodes=3)
    serving(world)
    world.deployment("web", 230)
    world.clock.advance(60)
    assert sorted(len(one["endpoints"]) for one in slices(world)) == [30, 100, 100]
    world.change("deployments.apps", "web", replicas=10)
    world.clock.advance(60)
    assert [len(one["endpoints"]) for one in slices(world)] == [10]


def test_a_service_without_selector_has_what_is_written_by_hand() -> None:
    """No slice by itself; manual Endpoints are mirrored."""
    world = World()
    world.put("services", "Service", "db", spec={"ports": [{"port": 5432}]})
    world.clock.advance(1)
    assert slices(world, "db") == []
    subset = {"addresses": [{"ip": "192.0.2.9"}], "ports": [{"port": 5432}]}
    world.put("endpoints", "Endpoints", "db", subsets=[subset])
    world.clock.advance(1)
    (one,) = slices(world, "db")
    assert one["endpoints"] == [{"addresses": ["192.0.2.9"], "conditions": {"ready": True}}]
    managed_by = one["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"]
    assert managed_by == "endpointslicemirroring-controller.k8s.io"


def test_deleting_a_service_takes_its_endpoints_along() -> None:
    """Neither Endpoints nor slices are left."""
    world = World()
    serving(world)
    world.clock.advance(1)
    world.storage.delete("services", "default", "web")
    world.clock.advance(1)
    assert slices(world) == []
    assert not world.exists("endpoints", "web")


def test_load_balancers_get_an_address_after_a_while() -> None:
    """First pending, then an address of TEST-NET-3 that nobody else has."""
    world = World()
    for name in ("one", "two"):
        serving(world, name, type="LoadBalancer")
    world.clock.advance(1)
    assert world.get("services", "one")["status"] == {"loadBalancer": {}}
    world.clock.advance(10)
    given = [world.get("services", name)["status"]["loadBalancer"]["ingress"][0]["ip"] for name in ("one", "two")]
    assert len(set(given)) == 2
    assert all(address.startswith("203.0.113.") for address in given)


def test_a_load_balancer_may_stay_pending() -> None:
    """The annotation keeps the cloud from answering."""
    world = World()
    ports = [{"port": 80, "targetPort": 80}]
    metadata = {"annotations": {ANNOTATION: "pending"}}
    world.put("services", "Service", "web", metadata=metadata, spec={"type": "LoadBalancer", "ports": ports})
    world.clock.advance(600)
    assert world.get("services", "web")["status"] == {"loadBalancer": {}}


def test_a_load_balancer_of_somebody_elses_class_is_left_alone() -> None:
    """Nobody here says anything about it."""
    world = World()
    serving(world, "web", type="LoadBalancer", loadBalancerClass="example.com/other")
    world.clock.advance(600)
    assert world.get("services", "web")["status"] == {"loadBalancer": {}}
    assert world.messages("web", "EnsuringLoadBalancer") == []


def test_changing_the_type_gives_the_address_back() -> None:
    """A Service that is no load balancer any more has none."""
    world = World()
    serving(world, type="LoadBalancer")
    world.clock.advance(10)
    world.change("services", "web", type="ClusterIP")
    world.clock.advance(1)
    assert world.get("services", "web")["status"]["loadBalancer"] == {}


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ({"minAvailable": 2}, 2, 1),
        ({"minAvailable": "50%"}, 2, 1),
        ({"maxUnavailable": 0}, 3, 0),
        ({"maxUnavailable": "34%"}, 1, 2),
    ],
)
def test_disruption_budgets_count(spec: dict[str, Any], desired: int, allowed: int) -> None:
    """With three ready pods the status says how many must stay and how many may go; percentages round up."""
    world = World()
    selector = {"matchLabels": {"app": "web"}}
    world.put("poddisruptionbudgets.policy", "PodDisruptionBudget", "web", spec={**spec, "selector": selector})
    world.deployment("web", 3)
    world.clock.advance(20)
    status = world.get("poddisruptionbudgets.policy", "web")["status"]
    counted = {
        field: status[field] for field in ("expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed")
    }
    assert counted == {"expectedPods": 3, "currentHealthy": 3, "desiredHealthy": desired, "disruptionsAllowed": allowed}
