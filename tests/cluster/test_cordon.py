"""Cordon and uncordon: as kubectl does it."""

from __future__ import annotations

import secrets

from ktui.actions.cordon import CORDON, UNCORDON
from ktui.kinds.names import ObjectKey
from ktui.kinds.nodes import NODES
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.doing import Deed, content, own_node
from tests.cluster.objects import Objects, until


async def test_a_node_is_cordoned_and_uncordoned_as_kubectl_does_it(
    objects: Objects, opened: Opened, kubectl: Kubectl
) -> None:
    mine, twin = (f"t-{secrets.token_hex(4)}" for _ in range(2))
    nodes = [await own_node(objects, mine), await own_node(objects, twin)]
    session, key = await opened(), ObjectKey("", mine)

    async def alike(keys: set[str]) -> bool:
        """Whether both have these taints, which a controller brings after the change, and are alike else, too."""
        one, other = [content(await objects.get(node)) for node in nodes]
        for node in (one, other):
            if {taint["key"] for taint in node["spec"]["taints"]} != keys:
                return False
            node["spec"]["taints"] = [{**taint, "timeAdded": None} for taint in node["spec"]["taints"]]
            for given in ("podCIDR", "podCIDRs"):
                node["spec"].pop(given, None)
            node["metadata"]["labels"].pop("kubernetes.io/hostname", None)
        assert one == other
        return True

    deed = await Deed(session, CORDON, NODES, key).done()
    assert deed.error is None
    assert deed.previews[0].after is not None
    assert deed.previews[0].after["spec"]["unschedulable"] is True
    await kubectl("cordon", twin)
    own, cordoned = "test.ktui.dev/own", "node.kubernetes.io/unschedulable"
    await until(lambda: alike({own, cordoned}), what="the nodes are not alike when cordoned")

    again = await Deed(session, CORDON, NODES, key).done()
    assert again.refusal == f"node/{mine} already cordoned"
    assert (await kubectl("cordon", twin)).strip() == f"node/{twin} already cordoned"
    assert not again.written

    assert (await Deed(session, UNCORDON, NODES, key).done()).error is None
    await kubectl("uncordon", twin)
    await until(lambda: alike({own}), what="the nodes are not alike when uncordoned")
    again = await Deed(session, UNCORDON, NODES, key).done()
    assert again.refusal == f"node/{mine} already uncordoned"
    assert (await kubectl("uncordon", twin)).strip() == f"node/{twin} already uncordoned"


async def test_several_nodes_are_cordoned_at_once(objects: Objects, opened: Opened) -> None:
    names = [f"t-{secrets.token_hex(4)}" for _ in range(3)]
    nodes = [await own_node(objects, name) for name in names]
    deed = await Deed(await opened(), CORDON, NODES, *(ObjectKey("", name) for name in names)).done()
    assert [work.error for work in deed.undertaking.works] == [None] * 3
    assert all([(await objects.get(node))["spec"]["unschedulable"] for node in nodes])
