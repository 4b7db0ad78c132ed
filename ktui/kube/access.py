"""What the user may do, asked of the cluster itself.

The rules that hold in a namespace are asked for once and answer most questions; a single question is put to the server
where they do not: about cluster-scoped objects, and where the server says that it does not know all rules.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from ktui.kube.client import Client
from ktui.kube.errors import KtuiError, NotFound

REMEMBERED = 60.0
"""Seconds for which an answer holds: roles change rarely, and a wrong guess is corrected by the server's 403."""


T = TypeVar("T")


class Question(NamedTuple):
    """Something that a user may or may not do.

    Attributes:
        verb: `list`, `patch`, `delete` ...
        group: the API group; empty for core.
        resource: the plural name.
        namespace: empty for cluster-scoped kinds, and for all namespaces.
        subresource: `scale`, `log` ... or empty.
        name: of one object, or empty for any.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""
    subresource: str = ""
    name: str = ""


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """A PolicyRule of a role, or a ResourceRule of a review: it allows each of its verbs on each of its resources."""

    verbs: tuple[str, ...] | None = None
    api_groups: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    resource_names: tuple[str, ...] | None = None

    def covers(self, question: Question) -> bool:
        """Whether it allows what is asked for.

        Source: VerbMatches, APIGroupMatches, ResourceMatches and ResourceNameMatches in
        k8s.io/component-helpers/auth/rbac/validation. `*` alone stands for all resources and subresources, `*/scale`
        for a subresource of any; `deployments/*` stands for nothing.
        """
        whole = f"{question.resource}/{question.subresource}" if question.subresource else question.resource
        resources = ("*", whole, f"*/{question.subresource}" if question.subresource else "*")
        return (
            _has(self.verbs, "*", question.verb)
            and _has(self.api_groups, "*", question.group)
            and _has(self.resources, *resources)
            and (not self.resource_names or question.name in self.resource_names)
        )


class Rights(NamedTuple):
    """What the user may do in a namespace.

    Attributes:
        rules: they only ever allow.
        incomplete: whether there may be more, as with authorizers that cannot tell their rules, such as webhooks.
    """

    rules: tuple[Rule, ...]
    incomplete: bool

    def allow(self, question: Question) -> bool | None:
        """Whether the rules allow what is asked for; None when they do not tell."""
        if any(rule.covers(question) for rule in self.rules):
            return True
        return None if self.incomplete else False


class _Decision(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Decision


class _Rules(msgspec.Struct, rename="camel"):
    resource_rules: tuple[Rule, ...] | None = None
    incomplete: bool = False


class _RulesReview(msgspec.Struct):
    status: _Rules


class _User(msgspec.Struct, frozen=True):
    username: str = ""


class _SelfStatus(msgspec.Struct, frozen=True, rename="camel"):
    user_info: _User = _User()


class _SelfReview(msgspec.Struct):
    status: _SelfStatus = _SelfStatus()


@dataclass(slots=True)
class _Memory:
    """What one client was told: each answer with the moment until which it holds, and what is being asked."""

    answers: dict[Hashable, tuple[Any, float]] = field(default_factory=dict)
    asking: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict)

    def held(self, key: Hashable) -> Any:
        """The answer to a question, if there is one that holds."""
        answer, until = self.answers.get(key, (None, 0.0))
        return answer if time.monotonic() < until else None

    async def once(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer to a question, asked once for all who want it at the same time; None when there is none."""
        if (held := self.held(key)) is not None:
            answer: T = held
            return answer
        if (task := self.asking.get(key)) is None:
            task = self.asking[key] = asyncio.create_task(self._ask(key, ask))
            task.add_done_callback(lambda _: self.asking.pop(key))
        # Others may wait for it when one who wanted it does not any more.
        return await asyncio.shield(task)

    async def _ask(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T | None:
        try:
            answer = await ask()
        except (KtuiError, msgspec.MsgspecError):
            return None
        self.answers[key] = answer, time.monotonic() + REMEMBERED
        return answer


_memories: WeakKeyDictionary[Client, _Memory] = WeakKeyDictionary()


async def can(
    client: Client, verb: str, group: str, resource: str, namespace: str, subresource: str = "", name: str = ""
) -> bool | None:
    """Whether the user may, as the cluster says by a SelfSubjectAccessReview; None when it cannot be asked.

    Answers are remembered for a minute; not having one is not.

    Args:
        client: who asks.
        verb: see `Question`, as all others.
        group: see there.
        resource: see there.
        namespace: see there.
        subresource: see there.
        name: see there.
    """
    question = Question(verb, group, resource, namespace, subresource, name)
    attributes = {key: value for key, value in question._asdict().items() if value}

    async def ask() -> bool:
        review = await _create(
            client, "authorization.k8s.io", "SelfSubjectAccessReview", {"resourceAttributes": attributes}, _Review
        )
        return review.status.allowed

    return await _memory(client).once(question, ask)


async def rights(client: Client, namespace: str) -> Rights | None:
    """What the user may do in a namespace, by a SelfSubjectRulesReview; None when it cannot be asked.

    Remembered as the answers of `can` are. Rules that are granted in the namespace do not hold for cluster-scoped
    objects, though they stand among the others.

    Args:
        client: who asks.
        namespace: where; there is no such review for all namespaces.
    """

    async def ask() -> Rights:
        review = await _create(
            client, "authorization.k8s.io", "SelfSubjectRulesReview", {"namespace": namespace}, _RulesReview
        )
        return Rights(review.status.resource_rules or (), review.status.incomplete)

    return await _memory(client).once(namespace, ask)


async def may(client: Client, question: Question) -> bool | None:
    """Whether the user may, by as few requests as that takes; None when it is not known.

    Args:
        client: who asks.
        question: what is to be done.
    """
    if question.namespace and (told := await rights(client, question.namespace)) is not None:
        answer = told.allow(question)
        if answer is not None:
            return answer
    return await can(client, *question)


def known(client: Client, question: Question) -> bool | None:
    """What `may` would say without asking; None when it would have to ask.

    Args:
        client: who would ask.
        question: what is to be done.
    """
    memory = _memory(client)
    told: Rights | None = memory.held(question.namespace)
    answer = told.allow(question) if question.namespace and told is not None else None
    if answer is None:
        answer = memory.held(question)
    return answer


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


def _memory(client: Client) -> _Memory:
    return _memories.setdefault(client, _Memory())


def _has(found: tuple[str, ...] | None, *wanted: str) -> bool:
    return any(each in wanted for each in found or ())
