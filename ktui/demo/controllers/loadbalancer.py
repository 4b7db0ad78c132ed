"""The cloud's load balancers: an address for every Service of type LoadBalancer, after a while.

A Service with the annotation `demo.ktui.dev/load-balancer: pending` never gets one, nor does one whose
`loadBalancerClass` asks for somebody else's.
"""

from __future__ import annotations

from ktui.demo.clock import epoch_of
from ktui.demo.controllers.conditions import is_leaving
from ktui.demo.controllers.controller import Controller, Key
from ktui.demo.storage import Object

ANNOTATION = "demo.ktui.dev/load-balancer"
_TAKES = 4.0
_NETWORK, _FIRST, _LAST = "203.0.113", 7, 254  # TEST-NET-3: no address of anybody


class LoadBalancers(Controller):
    """Writes status.loadBalancer of Services."""

    watches = ("services",)
    component = "service-controller"

    def sync(self, key: Key) -> None:
        service = self.storage.get("services", *key)
        if service is None or is_leaving(service):
            return
        status = service.get("status") or {}
        given = (status.get("loadBalancer") or {}).get("ingress")
        if service["spec"].get("type") != "LoadBalancer":
            if given:
                self.announce(service, "DeletedLoadBalancer", "Deleted load balancer")
                self.storage.update("services", {**service, "status": {**status, "loadBalancer": {}}})
            return
        if service["spec"].get("loadBalancerClass"):
            return  # another controller's
        if given or (service["metadata"].get("annotations") or {}).get(ANNOTATION) == "pending":
            return
        ready = epoch_of(service["metadata"]["creationTimestamp"]) + _TAKES
        if self.clock.now() < ready:
            self.announce(service, "EnsuringLoadBalancer", "Ensuring load balancer")
            self.queue.add_at(key, ready)
            return
        address = self._free_address()
        if address:
            ingress = [{"ip": address, "ipMode": "VIP"}]
            self.announce(service, "EnsuredLoadBalancer", "Ensured load balancer")
            self.storage.update("services", {**service, "status": {**status, "loadBalancer": {"ingress": ingress}}})

    def _free_address(self) -> str:
        taken = {address for service in self.storage.list("services") for address in _addresses(service)}
        numbers = (f"{_NETWORK}.{number}" for number in range(_FIRST, _LAST + 1))
        return next((address for address in numbers if address not in taken), "")


def _addresses(service: Object) -> list[str]:
    given = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [one["ip"] for one in given if "ip" in one]
