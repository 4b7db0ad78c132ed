"""Rights are asked for once, mean what RBAC means, and never block what is not known."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ktui.actions import permission
from ktui.actions.action import Access, Action, Target
from ktui.actions.permission import READ_ONLY, Verdict
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR, GVR_PODS, ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kube import access
from ktui.kube.access import Question, Rule
from ktui.kube.client import Client
from tests.unit.tls_server import ApiServer, api_server, status_body

NAMESPACES = generic_kind(GVR("", "v1", "namespaces"), "Namespace", False)
WIDGETS = generic_kind(GVR("shop.example.com", "v1", "widgets"), "Widget", True)
WEB = Target(DEPLOYMENTS, ObjectKey("shop", "web"))
SCALE = Question("patch", "apps", "deployments", "shop", "scale", "web")


class Server:
    """Answers reviews: of rules from `rules`, of single questions with `allowed`; either may be an HTTP status."""

    def __init__(self, api: ApiServer) -> None:
        self.api = api
        self.rules: list[dict[str, Any]] | int = []
        self.incomplete = False
        self.allowed: bool | int = False
        api.respond = self.respond

    @property
    def asked(self) -> list[str]:
        """What was asked, in order: `rules shop`, `patch deployments`."""
        found = []
        for body in map(json.loads, self.api.bodies):
            about = body["spec"].get("resourceAttributes")
            found.append(f"{about['verb']} {about['resource']}" if about else f"rules {body['spec']['namespace']}")
        return found

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """One answer."""
        of_rules = request.path.endswith("selfsubjectrulesreviews")
        answer = self.rules if of_rules else self.allowed
        if isinstance(answer, int) and not isinstance(answer, bool):
            return status_body(answer, "")
        if of_rules:
            return web.json_response({"status": {"resourceRules": answer, "incomplete": self.incomplete}}, status=201)
        return web.json_response({"status": {"allowed": answer}}, status=201)


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ApiServer]:
    """A running API server."""
    async with api_server(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def server(api: ApiServer) -> Server:
    """What it answers to reviews."""
    return Server(api)


@pytest.fixture
async def client(api: ApiServer) -> AsyncIterator[Client]:
    """A client of it."""
    made = await api.client({"token": "t"})
    yield made
    await made.close()


def rule(verbs: str, groups: str, resources: str, **more: Any) -> dict[str, Any]:
    """A rule, from words."""
    return {"verbs": verbs.split(), "apiGroups": groups.split(","), "resources": resources.split(), **more}


def action(*rights: Access, creates: bool = False) -> Action:
    """An action that needs some rights."""
    return Action(
        id="test",
        key="x",
        title="Test",
        help="Test.",
        plan=lambda *_: [],
        offers=lambda _: True,
        access=rights,
        creates=creates,
    )


# -- rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verbs", "groups", "resources", "names", "covered"),
    [
        ("patch", "apps", "deployments/scale", (), True),
        ("*", "*", "*", (), True),
        ("get patch", ",apps", "pods */scale", (), True),
        ("patch", "apps", "deployments/scale", ("web", "api"), True),
        ("patch", "apps", "deployments/scale", ("api",), False),
        ("patch", "apps", "deployments", (), False),
        ("patch", "apps", "deployments/*", (), False),
        ("patch", "apps", "*/status", (), False),
        ("get", "apps", "*", (), False),
        ("patch", "", "*", (), False),
    ],
)
def test_what_a_rule_covers(verbs: str, groups: str, resources: str, names: tuple[str, ...], covered: bool) -> None:
    """Wildcards, subresources, and names of objects."""
    made = Rule(tuple(verbs.split()), tuple(groups.split(",")), tuple(resources.split()), names)
    assert made.covers(SCALE) is covered


def test_a_wildcard_subresource_is_no_resource() -> None:
    """`*/scale` says nothing about the objects themselves, and names nothing about objects of any name."""
    whole = Question("patch", "apps", "deployments", "shop")
    assert not Rule(("*",), ("*",), ("*/scale",)).covers(whole)
    assert Rule(("*",), ("*",), ("*",)).covers(whole)
    assert not Rule(("*",), ("*",), ("*",), ("web",)).covers(whole)
    assert not Rule().covers(whole)


# -- asking -----------------------------------------------------------------------------------------


async def test_one_request_serves_all_who_ask_at_once(server: Server, client: Client) -> None:
    """For many questions in a namespace; a minute later it is asked again."""
    server.rules = [rule("get patch", "apps", "deployments deployments/scale")]
    questions = [Question(verb, "apps", "deployments", "shop") for verb in ("get", "patch", "delete")]
    assert [access.known(client, question) for question in questions] == [None] * 3
    assert await asyncio.gather(*(access.may(client, question) for question in questions)) == [True, True, False]
    assert [access.known(client, question) for question in questions] == [True, True, False]
    assert server.asked == ["rules shop"]
    await access.may(client, questions[0]._replace(namespace="other"))
    assert server.asked == ["rules shop", "rules other"]


async def test_answers_are_kept_for_a_minute(server: Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then they are no longer known."""
    await access.may(client, SCALE)
    later = time.monotonic() + access.REMEMBERED + 1
    with monkeypatch.context() as patched:
        patched.setattr("ktui.kube.access.time.monotonic", lambda: later)
        late = access.known(client, SCALE)
    assert (late, access.known(client, SCALE)) == (None, False)


async def test_who_gives_up_waiting_takes_nothing_from_others(server: Server, client: Client) -> None:
    """The shared request goes on."""
    server.rules = [rule("*", "*", "*")]
    first, second = (asyncio.create_task(access.may(client, SCALE)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is True
    assert server.asked == ["rules shop"]


@pytest.mark.parametrize(("allowed", "answer"), [(True, True), (False, False), (500, None)])
async def test_where_rules_are_incomplete_the_question_itself_is_asked(
    allowed: bool | int, answer: bool | None, server: Server, client: Client
) -> None:
    """What they allow is allowed; what they do not allow may be allowed by others, such as webhooks."""
    server.rules, server.incomplete, server.allowed = [rule("get", "apps", "deployments")], True, allowed
    assert await access.may(client, Question("get", "apps", "deployments", "shop")) is True
    assert server.asked == ["rules shop"]
    assert await access.may(client, SCALE) is answer
    assert server.asked == ["rules shop", "patch deployments"]
    assert access.known(client, SCALE) is answer


async def test_where_rules_cannot_be_asked_for_the_question_is(server: Server, client: Client) -> None:
    """And when nothing can, the answer is not known, and not kept."""
    server.rules, server.allowed = 403, True
    assert await access.may(client, SCALE) is True
    server.allowed = 503
    other = SCALE._replace(name="other")
    assert await access.may(client, other) is None
    server.rules = [rule("*", "*", "*")]
    assert await access.may(client, other) is True


async def test_rules_of_a_namespace_say_nothing_about_the_cluster(server: Server, client: Client) -> None:
    """A role binding's rules hold in its namespace only, so that cluster-scoped objects are asked about one by one."""
    server.rules, server.allowed = [rule("*", "*", "*")], False
    assert await access.may(client, SCALE) is True
    assert await access.may(client, Question("patch", "", "nodes", "", "", "n-1")) is False
    assert server.asked == ["rules shop", "patch nodes"]


# -- verdicts ---------------------------------------------------------------------------------------


async def test_a_verdict_needs_all_rights(server: Server, client: Client) -> None:
    """One that is missing denies; the role that is named has all that are missing."""
    server.rules = [rule("patch", "apps", "deployments/scale")]
    scale, evict, role = (
        Access("patch", "scale"),
        Access("create", "eviction", GVR_PODS),
        Access("create", "", GVR("rbac.authorization.k8s.io", "v1", "roles")),
    )
    assert await permission.ask(client, action(scale), WEB) == Verdict(True)
    assert await permission.ask(client, action(), WEB) == Verdict(True)
    denied = await permission.ask(client, action(scale, evict), WEB, user="dev")
    assert denied == Verdict(
        False,
        "dev may not create pods/eviction in namespace shop.",
        "Ask whoever runs the cluster for the ClusterRole “edit” in namespace shop.",
    )
    denied = await permission.ask(client, action(scale, evict, role), WEB)
    assert denied.why.startswith("You may not create pods/eviction")
    assert "“admin”" in denied.ask


async def test_custom_resources_are_in_no_usual_role(server: Server, client: Client) -> None:
    """Then the right itself is asked for, and nobody is sent for too much."""
    widget = Target(WIDGETS, ObjectKey("shop", "w"))
    denied = await permission.ask(client, action(Access("delete")), widget, user="dev")
    assert denied.why == "dev may not delete widgets.shop.example.com in namespace shop."
    assert denied.ask == (
        "Ask whoever runs the cluster for a role that may delete widgets.shop.example.com in namespace shop; "
        "of the usual ones only “cluster-admin” may."
    )


async def test_an_unknown_answer_blocks_nothing(server: Server, client: Client) -> None:
    """Neither before anything was asked, nor when it cannot be."""
    server.rules, server.allowed = 500, 500
    scale = action(Access("patch", "scale"))
    assert permission.known(client, scale, WEB) == Verdict(None)
    assert await permission.ask(client, scale, WEB) == Verdict(None)
    assert server.asked == ["rules shop", "patch deployments"]


async def test_what_is_known_is_known_without_asking(server: Server, client: Client) -> None:
    """A footer's hints make no requests."""
    scale, delete = action(Access("patch", "scale")), action(Access("delete"))
    await permission.ask(client, scale, WEB)
    verdict = permission.known(client, delete, WEB, user="dev")
    assert (verdict.allowed, verdict.why) == (False, "dev may not delete deployments in namespace shop.")
    assert permission.known(client, delete, Target(NODES, ObjectKey("", "n-1"))).allowed is None
    assert server.asked == ["rules shop"]


async def test_read_only_has_its_own_reason(server: Server, client: Client) -> None:
    """Whatever the cluster would say, which is not asked."""
    scale = action(Access("patch", "scale"))
    assert permission.known(client, scale, WEB, read_only=True) == READ_ONLY
    assert await permission.ask(client, scale, WEB, read_only=True) == READ_ONLY
    assert (server.asked, READ_ONLY.allowed) == ([], False)


async def test_the_names_that_rules_are_about(server: Server, client: Client) -> None:
    """An object's own name, none for what is yet to be made; and a namespace is in itself."""
    server.rules = [
        rule("patch", "apps", "deployments/scale", resourceNames=["web"]),
        rule("create", "apps", "deployments", resourceNames=["web"]),
        rule("delete", "", "namespaces"),
    ]
    assert (await permission.ask(client, action(Access("patch", "scale")), WEB)).allowed
    other = Target(DEPLOYMENTS, ObjectKey("shop", "api"))
    assert (await permission.ask(client, action(Access("patch", "scale")), other)).allowed is False
    assert (await permission.ask(client, action(Access("create"), creates=True), WEB)).allowed is False
    space = Target(NAMESPACES, ObjectKey("", "shop"))
    assert (await permission.ask(client, action(Access("delete")), space)).allowed
    assert server.asked == ["rules shop"]


async def test_a_place_without_a_namespace_is_not_known(server: Server, client: Client) -> None:
    """Until somebody says where, nobody knows whether one may; a cluster-scoped object needs no place."""
    creates = action(Access("create"), creates=True)
    assert await permission.ask(client, creates, Target(DEPLOYMENTS, ObjectKey("", ""))) == Verdict(None)
    assert permission.known(client, creates, Target(DEPLOYMENTS, ObjectKey("", ""))) == Verdict(None)
    assert server.asked == []
    assert (await permission.ask(client, creates, Target(NAMESPACES, ObjectKey("", "")))).allowed is False
    assert server.asked == ["create namespaces"]
