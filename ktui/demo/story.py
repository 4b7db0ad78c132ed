"""The story: a shop with nine days behind it, and what happens to it from now on.

Its past is lived through by the same controllers that run it later, on a rewound clock: hashes, ages, revisions and
restart counts are what they would be.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ktui.demo import shop
from ktui.demo.clock import RewoundClock
from ktui.demo.controllers.plane import ControlPlane
from ktui.demo.manifests import put
from ktui.demo.past_owners import remember_owners
from ktui.demo.roles import create_roles
from ktui.demo.storage import Object, Storage

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0
PAST = 9 * DAY + 40 * MINUTE

_NIGHT = 2 * HOUR  # of the clock in UTC, when the nightly report runs
_SEARCH_AGE, _LESSON_AGE = 2 * HOUR, 5 * MINUTE
_STRIDE = 5 * MINUTE  # of the crash loop, which is at its longest back-off by then

RESTLESS_NODE = "worker-2"
_FIRST_ABSENCE, _ABSENT_EVERY = 90.0, 10 * MINUTE
_SILENCE = 50.0 + 3 * MINUTE  # NotReady for the last three minutes of it
_FIRST_ROLLOUT, _ROLLOUT_EVERY = 45.0, 4 * MINUTE


class Story:
    """Sets the scene and then lets things happen.

    Args:
        storage: The cluster's objects; empty.
        clock: Still in the past.
        plane: The controllers, started.
    """

    def __init__(self, storage: Storage, clock: RewoundClock, plane: ControlPlane) -> None:
        self._storage = storage
        self._clock = clock
        self._plane = plane
        self._release = 0

    def lay_the_ground(self, nodes: int) -> None:
        """Builds a cluster in which nothing runs.

        Args:
            nodes: How many nodes.
        """
        self._plane.recorder.muted = True
        self._put(shop.namespaces())
        self._put(shop.nodes(nodes))
        self._clock.advance(1)
        self._put(shop.foundation())
        create_roles(self._storage, ("shop", "lesson"))
        self._put(shop.api_service())
        self._clock.advance(1)

    def live_through_the_past(self) -> None:
        """Brings the cluster, once its ground is laid, to what it is now; returns in the present."""
        clock = self._clock
        now = clock.present
        for part in (shop.kube_system(), shop.platform(), shop.shop(), shop.widgets()):
            self._put(part)
        first = self._storage.get("nodes", "", "cp-0")
        if first is not None:
            self._put(shop.control_plane_pods(first))
        clock.advance(MINUTE)
        for night in _nights(now):
            clock.skip(night - clock.now())
            clock.advance(MINUTE)
            if night < now - 2 * DAY:
                self._roll_out()
                clock.advance(MINUTE)
        clock.skip(now - _SEARCH_AGE - clock.now())
        self._put(shop.search())
        clock.advance(2 * MINUTE)
        while clock.now() < now - HOUR:
            clock.skip(_STRIDE)
        self._plane.recorder.muted = False
        while clock.now() < now - 2 * _STRIDE:
            clock.skip(_STRIDE)
        clock.skip(now - _LESSON_AGE - clock.now())
        self._put(shop.lesson())
        clock.advance(now - clock.now())
        remember_owners(self._storage)
        clock.catch_up()

    def skip_the_past(self) -> None:
        """Brings the cluster to the present as it is."""
        self._clock.skip(self._clock.present - self._clock.now())
        self._clock.catch_up()
        self._plane.recorder.muted = False

    def go_on(self) -> None:
        """Begins the events to come."""
        now = self._clock.now()
        self._clock.call_at(now + _FIRST_ROLLOUT, self._keep_rolling)
        self._clock.call_at(now + _FIRST_ABSENCE, self._lose_node)

    def _put(self, placed: Iterable[shop.Placed]) -> None:
        for resource, obj in placed:
            put(self._storage, resource, obj)

    def _keep_rolling(self) -> None:
        self._roll_out()
        self._clock.call_at(self._clock.now() + _ROLLOUT_EVERY, self._keep_rolling)

    def _roll_out(self) -> None:
        """Gives the catalog its next release, unless somebody deleted or paused it."""
        catalog = self._storage.get("deployments.apps", "shop", "catalog")
        if catalog is None or catalog["spec"].get("paused"):
            return
        self._release += 1
        image = f"{shop.CATALOG_IMAGE}:1.{7 + self._release // 10}.{self._release % 10}"
        template = catalog["spec"]["template"]
        spec = {**template["spec"]}
        for field in ("containers", "initContainers"):
            spec[field] = [_with_image(one, image) for one in spec.get(field) or ()]
        changed = {**catalog["spec"], "template": {**template, "spec": spec}}
        cause = {"kubernetes.io/change-cause": f"release {image.rpartition(':')[2]}"}
        annotations = {**(catalog["metadata"].get("annotations") or {}), **cause}
        metadata = {**catalog["metadata"], "annotations": annotations}
        self._storage.update("deployments.apps", {**catalog, "metadata": metadata, "spec": changed})

    def _lose_node(self) -> None:
        self._plane.kubelets.stop_node(RESTLESS_NODE)
        self._clock.call_at(self._clock.now() + _SILENCE, self._find_node)

    def _find_node(self) -> None:
        self._plane.kubelets.start_node(RESTLESS_NODE)
        self._clock.call_at(self._clock.now() + _ABSENT_EVERY - _SILENCE, self._lose_node)


def _with_image(container: Object, image: str) -> Object:
    return {**container, "image": image} if container["image"].startswith(shop.CATALOG_IMAGE) else container


def _nights(now: float) -> list[float]:
    """Returns the times of the last four nightly reports, oldest first, as far as they leave room for what follows."""
    midnight = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    nights = [midnight + _NIGHT - days * DAY for days in range(4, -1, -1)]
    return [night for night in nights if night < now - _SEARCH_AGE - 5 * MINUTE]
