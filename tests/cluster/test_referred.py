"""What manifests refer to is looked up on clusters: for each user as far as they may look."""

from __future__ import annotations

from typing import Any

from ktui.actions.place import Place
from ktui.actions.referred import Referred
from ktui.manifests.reading import read
from tests.cluster.conftest import Opened
from tests.cluster.objects import Objects

TEXT = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  imagePullSecrets:
  - name: regcred
  priorityClassName: nowhere
  containers:
  - name: main
    env:
    - name: A
      valueFrom: {configMapKeyRef: {name: settings, key: port}}
    - name: B
      valueFrom: {configMapKeyRef: {name: settings, key: host}}
    envFrom:
    - secretRef: {name: maybe, optional: true}
"""


async def test_what_is_not_there_is_missed(opened: Opened, objects: Objects, namespace: str) -> None:
    """By an admin all of it; by somebody who may not read secrets, no secret."""
    meta = {"name": "settings", "namespace": namespace}
    await objects.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"host": "a"}})
    document = read(TEXT).documents[0]

    async def missed(user: str) -> list[tuple[int, str]]:
        session: Any = await opened(user=user)
        found = await Referred(Place(session)).missing(document, namespace)
        return [(problem.line, problem.message) for problem in found]

    secret = (7, f'there is no secret "regcred" in namespace {namespace}')
    rest = [(8, 'there is no priorityclass "nowhere"'), (13, 'configmap "settings" has no key "port"; it has: host')]
    assert await missed("admin") == [secret, *rest]
    assert secret not in await missed("viewer")
    assert await missed("nobody") == []
