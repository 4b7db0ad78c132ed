"""The story the embedded cluster tells, the load it can carry, and what it measures."""

from __future__ import annotations

import time
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest

from ktui.demo.clock import RewoundClock, SteppedClock, epoch_of
from ktui.demo.controllers.conditions import is_ready
from ktui.demo.controllers.plane import ControlPlane
from ktui.demo.controllers.quantities import milli, quantity
from ktui.demo.fleet import create_fleet
from ktui.demo.logs import Logs
from ktui.demo.storage import Object, Storage
from ktui.demo.story import PAST, RESTLESS_NODE, Story
from tests.unit.demo_world import condition

DAY = 86400.0


class Shop:
    """The story without a server."""

    def __init__(self, seed: int = 0) -> None:
        self.present = SteppedClock()
        self.clock = RewoundClock(self.present, PAST)
        self.storage = Storage(self.clock, seed=seed)
        self.plane = ControlPlane(self.storage, self.clock, seed=seed)
        self.plane.start()
        story = Story(self.storage, self.clock, self.plane)
        story.lay_the_ground(5)
        story.live_through_the_past()
        story.go_on()

    def get(self, resource: str, namespace: str, name: str) -> Object:
        obj = self.storage.get(resource, namespace, name)
        assert obj is not None
        return obj

    def deployments(self) -> dict[str, tuple[int, int]]:
        """Returns ready and wanted replicas by name."""
        return {
            found["metadata"]["name"]: (found["status"].get("readyReplicas", 0), found["spec"]["replicas"])
            for found in self.storage.list("deployments.apps")
        }

    def waiting(self) -> Counter[str]:
        """Counts the reasons why containers wait."""
        states = [
            status["state"]["waiting"]["reason"]
            for pod in self.storage.list("pods")
            for status in pod["status"].get("containerStatuses") or ()
            if "waiting" in status["state"]
        ]
        return Counter(states)


@cache
def at_first() -> Shop:
    """The story at its first second, for those who only look."""
    return Shop()


def test_the_first_second_looks_settled() -> None:
    """Everything is ready but for what is broken on purpose; nothing is just starting or ending."""
    shop = at_first()
    deployments = shop.deployments()
    assert deployments.pop("checkout") == (2, 3)
    assert deployments.pop("search") == (0, 2)
    assert {name for name, (ready, wanted) in deployments.items() if ready != wanted} == set()
    assert deployments["storefront"] == (3, 3)
    assert shop.waiting() == Counter({"CrashLoopBackOff": 1})
    assert not any("deletionTimestamp" in pod["metadata"] for pod in shop.storage.list("pods"))


def test_it_has_a_past() -> None:
    """Nine days for most, two hours for the search, five minutes for the lesson; and nothing is from the future."""
    shop = at_first()
    now = shop.clock.now()

    def age(namespace: str, name: str) -> float:
        return now - epoch_of(shop.get("deployments.apps", namespace, name)["metadata"]["creationTimestamp"])

    assert 9 * DAY < age("shop", "storefront") < 9.1 * DAY
    assert age("shop", "search") == pytest.approx(7200, abs=2)
    assert age("lesson", "hello-node") == pytest.approx(300, abs=2)
    stamps = [
        obj["metadata"]["creationTimestamp"] for key in shop.storage.resources() for obj in shop.storage.list(key)
    ]
    assert max(map(epoch_of, stamps)) <= now


def test_its_proportions() -> None:
    """Five nodes, one of them cordoned; forty to sixty pods; a crash loop with a history; a pod that fits nowhere."""
    shop = at_first()
    names = [node["metadata"]["name"] for node in shop.storage.list("nodes")]
    assert names == ["cp-0", "worker-0", "worker-1", "worker-2", "worker-3"]
    assert shop.get("nodes", "", "worker-3")["spec"]["unschedulable"]
    assert 40 <= shop.storage.count("pods") <= 60
    crashed, lost = sorted(
        (pod for pod in shop.storage.list("pods", "shop") if pod["metadata"]["labels"].get("app") == "search"),
        key=lambda pod: "nodeName" not in pod["spec"],
    )
    assert crashed["status"]["containerStatuses"][0]["restartCount"] >= 10
    assert "0/5 nodes are available" in condition(lost, "PodScheduled")["message"]


def test_its_services() -> None:
    """One has no endpoints, one is a name elsewhere, one is headless, and load balancers have addresses."""
    shop = at_first()
    services = {obj["metadata"]["name"]: obj for obj in shop.storage.list("services", "shop")}
    assert services["payments"]["spec"]["type"] == "ExternalName"
    assert services["orders-db"]["spec"]["clusterIP"] == "None"
    assert shop.storage.get("endpoints", "shop", "legacy-db") is None
    assert services["storefront"]["status"]["loadBalancer"]["ingress"]
    assert len(shop.get("endpoints", "shop", "storefront")["subsets"][0]["addresses"]) == 3


def test_the_nightly_report_ran_in_the_nights() -> None:
    """Three finished jobs are kept, each from two o'clock."""
    shop = at_first()
    jobs = [job for job in shop.storage.list("jobs.batch", "shop") if job["metadata"]["name"].startswith("nightly-")]
    assert len(jobs) == 3
    for job in jobs:
        assert int(job["metadata"]["name"].rpartition("-")[2]) % 1440 == 120
        assert condition(job, "Complete")["status"] == "True"


def test_events_are_of_the_last_hour() -> None:
    """Nobody sees Events from nine days ago."""
    shop = at_first()
    oldest = min(epoch_of(event["metadata"]["creationTimestamp"]) for event in shop.storage.list("events"))
    assert shop.clock.now() - oldest <= 3600


def test_a_node_goes_away_and_comes_back() -> None:
    """worker-2 is not ready for about three of ten minutes, for the first time within two and a half minutes."""
    shop = Shop()
    away: list[float] = []
    for second in range(0, 1200, 5):
        shop.present.advance(5)
        if condition(shop.get("nodes", "", "worker-2"), "Ready")["status"] != "True":
            away.append(second)
    assert 90 <= away[0] <= 160
    assert 300 <= len(away) * 5 <= 480
    assert any(later - earlier > 300 for earlier, later in pairwise(away))
    storefront = shop.deployments()["storefront"]
    assert storefront in ((3, 3), (2, 3))


def test_the_catalog_rolls_out_again_and_again() -> None:
    """In ten minutes it gets three releases, and old ReplicaSets do not pile up."""
    shop = Shop()

    def revision() -> int:
        return int(
            shop.get("deployments.apps", "shop", "catalog")["metadata"]["annotations"][
                "deployment.kubernetes.io/revision"
            ]
        )

    before = revision()
    shop.present.advance(600)
    assert revision() == before + 3
    shop.present.advance(1800)
    sets = [
        found for found in shop.storage.list("replicasets.apps") if found["metadata"]["name"].startswith("catalog-")
    ]
    assert len(sets) <= 7


def test_the_checkout_is_short_of_one() -> None:
    """Most of the time two of its three pods are ready, and it is not always the same one that is not."""
    shop = Shop()
    unready: Counter[str] = Counter()
    for _ in range(16):
        shop.present.advance(20)
        for pod in shop.storage.list("pods", "shop"):
            if pod["metadata"]["name"].startswith("checkout-") and not is_ready(pod):
                unready[pod["metadata"]["name"]] += 1
    assert len(unready) >= 2


def test_the_story_costs_little() -> None:
    """Half an hour of it is less than 7,500 writes, of which most are leases and Events."""
    shop = Shop()
    before = shop.storage.version
    shop.present.advance(1800)
    assert shop.storage.version - before < 7_500


def test_the_same_seed_tells_the_same_story() -> None:
    """Names, uids and versions after five minutes are equal."""

    def told(seed: int) -> list[tuple[str, str, str]]:
        shop = Shop(seed)
        shop.present.advance(300)
        return [
            (pod["metadata"]["name"], pod["metadata"]["uid"], pod["metadata"]["resourceVersion"])
            for pod in shop.storage.list("pods")
        ]

    assert told(3) == told(3)
    assert told(3) != told(4)


def test_a_fleet_is_quick_to_build_and_at_rest() -> None:
    """10,000 pods in 50 namespaces take seconds, about 4 in 100 are not well, and then nothing happens to them."""
    shop = Shop()
    begun = time.process_time()
    create_fleet(shop.storage, shop.plane, 10_000, avoid=(RESTLESS_NODE,))
    assert time.process_time() - begun < 5
    fleet = [pod for pod in shop.storage.list("pods") if pod["metadata"]["namespace"].startswith("team-")]
    assert len(fleet) == 10_000
    assert len({pod["metadata"]["namespace"] for pod in fleet}) == 50
    assert 250 <= sum(1 for pod in fleet if not is_ready(pod)) <= 550
    written: list[str] = []
    shop.storage.subscribe(lambda event: written.append(event.object["metadata"].get("namespace", "")))
    shop.present.advance(600)
    furniture = 50 * 2  # of the namespaces: service account and CA bundle
    assert len([namespace for namespace in written if namespace.startswith("team-")]) == furniture


def test_a_fleet_answers_to_changes() -> None:
    """Scaling one of its Deployments makes real pods, scaling down deletes pods at rest."""
    shop = Shop()
    create_fleet(shop.storage, shop.plane, 40)
    deployment = shop.storage.list("deployments.apps", "team-00")[0]
    name = deployment["metadata"]["name"]
    for size in (24, 3):
        current = shop.get("deployments.apps", "team-00", name)
        shop.storage.update("deployments.apps", {**current, "spec": {**current["spec"], "replicas": size}})
        shop.present.advance(60)
        assert shop.get("deployments.apps", "team-00", name)["status"]["replicas"] == size
        assert len(shop.storage.list("pods", "team-00")) == size


def test_usage_is_plausible_and_steady() -> None:
    """Pods use something up to their limits, nodes more than their pods and less than they have."""
    shop = at_first()
    limits = {"cpu": 2000, "memory": 5 * 2**30}
    pods = shop.plane.metrics.pods("shop")
    assert len(pods) > 10
    for measured in pods:
        for container in measured["containers"]:
            assert 0 < milli(container["usage"]["cpu"]) <= limits["cpu"]
            assert 0 < quantity(container["usage"]["memory"]) <= limits["memory"]
    for measured in shop.plane.metrics.nodes():
        capacity = shop.get("nodes", "", measured["metadata"]["name"])["status"]["capacity"]
        assert 0 < milli(measured["usage"]["cpu"]) < milli(capacity["cpu"])
        assert 0 < quantity(measured["usage"]["memory"]) < quantity(capacity["memory"])
    assert shop.plane.metrics.pods("shop") == pods


def test_nothing_is_measured_on_a_silent_node() -> None:
    """While worker-2 is away neither it nor its pods have metrics."""
    shop = Shop()
    shop.present.advance(200)
    assert "worker-2" not in {one["metadata"]["name"] for one in shop.plane.metrics.nodes()}
    assert len(shop.plane.metrics.nodes()) == 4


def test_logs_stay_and_grow() -> None:
    """Lines once written are the same later, in order, and more follow."""
    shop = Shop()
    logs = Logs(shop.clock)
    (pod, *_) = [pod for pod in shop.storage.list("pods", "shop") if pod["metadata"]["name"].startswith("storefront-")]
    before = logs.lines(pod, "web")
    shop.present.advance(60)
    after = logs.lines(pod, "web")
    assert [moment for moment, _ in after] == sorted(moment for moment, _ in after)
    assert list(before[-20:]) == [line for line in after if line in before[-20:]]
    assert after[-1][0] > before[-1][0]


def test_a_crashed_container_says_why() -> None:
    """The last lines of the crash loop are a panic, also of the previous run."""
    shop = at_first()
    logs = Logs(shop.clock)
    (pod,) = [pod for pod in shop.storage.list("pods", "shop") if shop_crashes(pod)]
    assert any("panic:" in text for _, text in logs.lines(pod, "search"))
    assert any("panic:" in text for _, text in logs.lines(pod, "search", previous=True))


def shop_crashes(pod: Object) -> bool:
    """Says whether this is the pod in the crash loop."""
    return bool(pod["metadata"]["name"].startswith("search-") and "nodeName" in pod["spec"])
