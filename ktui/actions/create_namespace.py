"""Create a namespace, as `kubectl create namespace` does."""

from __future__ import annotations

from collections.abc import Sequence

from ktui.actions.action import Access, Action, Cluster, Step, Target
from ktui.actions.creation import creation, name_field, whole_name
from ktui.actions.form import Form, Values
from ktui.actions.names import dns_label
from ktui.kinds.namespaces import NAMESPACES


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form((name_field(dns_label),))


def _plan(target: Target, values: Values) -> Sequence[Step]:
    name = whole_name(values)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return (creation(NAMESPACES, body, "create", "namespace", name),)


CREATE_NAMESPACE = Action(
    id="create-namespace",
    key="n",
    title="Create namespace",
    help="Make a namespace.",
    plan=_plan,
    offers=lambda kind: kind.gvr == NAMESPACES.gvr,
    access=(Access("create", gvr=NAMESPACES.gvr),),
    form=_form,
    many=False,
    creates=True,
    done="Created",
)
