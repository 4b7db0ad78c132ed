"""What the user may do, asked of the cluster itself.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

import time
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from ktui.kube.client import Client
from ktui.kube.errors import KtuiError, NotFound

REMEMBERED = 60.0
"""Seconds for which an answer holds: roles change rarely, and a wrong guess is corrected by the server's 403."""


T = TypeVar("T")


class _Question(NamedTuple):
    verb: str
    group: str
    resource: str
    namespace: str
    subresource: str
    name: str


class _Decision(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Decision


class _User(msgspec.Struct, frozen=True):
    username: str = ""


class _SelfStatus(msgspec.Struct, frozen=True, rename="camel"):
    user_info: _User = _User()


class _SelfReview(msgspec.Struct):
    status: _SelfStatus = _SelfStatus()


# Each client's answers, with the moment until which they hold.
_answers: WeakKeyDictionary[Client, dict[_Question, tuple[bool, float]]] = WeakKeyDictionary()


async def can(
    client: Client, verb: str, group: str, resource: str, namespace: str, subresource: str = "", name: str = ""
) -> bool | None:
    """Whether the user may, as the cluster says by a SelfSubjectAccessReview; None when it cannot be asked.

    Answers are remembered for a minute; not having one is not.

    Args:
        client: who asks.
        verb: `list`, `patch`, `delete` ...
        group: the API group; empty for core.
        resource: the plural name.
        namespace: empty for cluster-scoped kinds, and for all namespaces.
        subresource: `scale`, `log` ... or empty.
        name: of one object, or empty for any.
    """
    question = _Question(verb, group, resource, namespace, subresource, name)
    known = _answers.setdefault(client, {})
    if (remembered := known.get(question)) is not None and time.monotonic() < remembered[1]:
        return remembered[0]
    attributes = {key: value for key, value in question._asdict().items() if value}
    try:
        review = await _create(
            client, "authorization.k8s.io", "SelfSubjectAccessReview", {"resourceAttributes": attributes}, _Review
        )
    except (KtuiError, msgspec.MsgspecError):
        return None
    known[question] = (review.status.allowed, time.monotonic() + REMEMBERED)
    return review.status.allowed


async def whoami(client: Client) -> str | None:
    """The user name by which the cluster knows us; None where it does not tell (before Kubernetes 1.28).

    Raises:
        KtuiError: the server cannot be asked.
    """
    try:
        review = await _create(client, "authentication.k8s.io", "SelfSubjectReview", None, _SelfReview)
    except NotFound:
        return None
    return review.status.user_info.username or None


async def _create(client: Client, group: str, kind: str, spec: object, wanted: type[T]) -> T:
    review = {"apiVersion": f"{group}/v1", "kind": kind} | ({"spec": spec} if spec else {})
    answer = await client.request("POST", f"/apis/{group}/v1/{kind.lower()}s", body=msgspec.json.encode(review))
    return msgspec.json.decode(answer.body, type=wanted)
