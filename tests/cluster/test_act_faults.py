"""Faults while acting: no write is lost or doubled, and what is told of it is true."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ktui.actions import undertaking
from ktui.actions.action import MERGE_PATCH, Action, JsonObject
from ktui.actions.annotate import ANNOTATE
from ktui.actions.create_configmap import CONFIGMAPS, CREATE_CONFIGMAP
from ktui.actions.delete import DELETE
from ktui.actions.evict import EVICT
from ktui.actions.journal import Journal, entry_of
from ktui.actions.place import Place
from ktui.actions.rollout_restart import RESTART, RESTARTED_AT
from ktui.actions.rollout_status import ROLLOUT_STATUS
from ktui.actions.scale import SCALE
from ktui.actions.undertaking import AT_ONCE, Stage, Written
from ktui.actions.undoing import undo_action, undo_targets
from ktui.demo.tls import make_identity
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.pods import PODS
from ktui.kube.client import Client
from ktui.kube.errors import ApiError, Conflict, ConnectionFailed, Forbidden, NotFound
from ktui.kube.session import Session
from tests.cluster import specimens
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Opened
from tests.cluster.doing import Deed
from tests.cluster.faulty_wire import FaultyWire, Loss, is_dry_run, is_write
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.wire import Asked

FINALIZER = "test.ktui.dev/stays"
LONGEST_BLOCK = {"real": 0.05, "embedded": 0.2}
"""Seconds for which nothing may keep the event loop; the embedded cluster works in the same thread."""


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undertaking, "LOOKS", (0.02,) * len(undertaking.LOOKS))


@pytest.fixture
async def wire(cluster: Cluster, tmp_path: Path) -> AsyncIterator[FaultyWire]:
    """What lies between ktui and the cluster."""
    async with FaultyWire(cluster.kubeconfig, tmp_path) as made:
        yield made


@pytest.fixture
async def session(wire: FaultyWire, opened: Opened) -> Session:
    """A connection over the wire."""
    return await opened(wire.kubeconfig())


def deployment(namespace: str) -> Manifest:
    """One of no pods."""
    return specimens.deployment(namespace, "web", 0, {"containers": [specimens.container("app")]})


def unschedulable(namespace: str) -> Manifest:
    """One whose rollout does not come to an end."""
    spec = {"containers": [specimens.container("app")], "nodeSelector": {"test.ktui.dev/node": "none"}}
    return specimens.deployment(namespace, "web", 1, spec)


def configmap(namespace: str, name: str = "c", **meta: Any) -> Manifest:
    """One with nothing in it."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name, **meta}}


# -- ways to write ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """An action that makes one write.

    Attributes:
        action, kind, name, values: what is done, to what.
        done: whether an object is as wanted; None where there is none.
    """

    action: Action
    kind: Kind
    name: str
    done: Callable[[JsonObject | None], Any]
    values: dict[str, Any] = field(default_factory=dict)


def _template_notes(item: JsonObject | None) -> JsonObject:
    assert item is not None
    found: JsonObject = item["spec"]["template"]["metadata"].get("annotations") or {}
    return found


def _notes(item: JsonObject | None) -> JsonObject:
    assert item is not None
    found: JsonObject = item["metadata"].get("annotations") or {}
    return found


WAYS = {
    "scale": Way(SCALE, DEPLOYMENTS, "web", lambda item: item and item["spec"]["replicas"] == 1, {"replicas": 1}),
    "restart": Way(RESTART, DEPLOYMENTS, "web", lambda item: RESTARTED_AT in _template_notes(item)),
    "annotate": Way(ANNOTATE, CONFIGMAPS, "c", lambda item: _notes(item).get("a") == "b", {"words": "a=b"}),
    "create": Way(
        CREATE_CONFIGMAP, CONFIGMAPS, "", lambda item: item and item["data"] == {"a": "b"}, {"literals": "a=b"}
    ),
    "delete": Way(DELETE, CONFIGMAPS, "c", lambda item: item is None),
}


@dataclass
class Trial:
    """A way on a cluster, on which one namespace has what it needs."""

    way: Way
    session: Session
    wire: FaultyWire
    namespace: str
    place: Place

    @property
    def key(self) -> ObjectKey:
        """What is changed or made."""
        return ObjectKey(self.namespace, self.way.name or "new")

    def deed(self) -> Deed:
        """The action, not followed: that is another test's."""
        target = ObjectKey(self.namespace, self.way.name)
        values = {**self.way.values, **({"name": "new"} if self.way.action.creates else {})}
        return Deed(self.session, replace(self.way.action, follow=None), self.way.kind, target, **values)

    async def is_done(self) -> bool:
        """Whether the object is as wanted, asked of the cluster itself."""
        item: JsonObject | None = None
        with suppress(NotFound):
            item = await self.place.get(self.way.kind.gvr, self.key)
        return bool(item is not None and self.way.done(item)) if self.way.action is not DELETE else item is None


@pytest.fixture
async def trial(
    request: pytest.FixtureRequest,
    session: Session,
    wire: FaultyWire,
    namespace: str,
    objects: Objects,
    opened: Opened,
) -> Trial:
    """One of the ways."""
    await objects.apply(deployment(namespace))
    await objects.apply(configmap(namespace))
    return Trial(WAYS[request.param], session, wire, namespace, Place(await opened()))


def every_way(*without: str) -> pytest.MarkDecorator:
    """For each of the ways."""
    return pytest.mark.parametrize("trial", [name for name in WAYS if name not in without], indirect=True)


def stages(deed: Deed) -> list[Stage]:
    return [work.stage for work in deed.undertaking.works]


def results(deed: Deed) -> list[str]:
    return ["unknown" if one.unknown else "failed" if one.error else "done" for one in deed.written]


async def again(deed: Deed) -> None:
    """As the dialog does it: what failed is read and planned anew, with what had been filled in."""
    values = deed.undertaking.values
    deed.undertaking.again()
    await deed.undertaking.read()
    assert deed.undertaking.values is values
    deed.undertaking.plan()
    await deed.undertaking.do()


# -- previews --------------------------------------------------------------------------------------


@every_way()
async def test_a_preview_changes_nothing(trial: Trial) -> None:
    """On whatever server: the object is what it was, in the same version."""
    before = None
    with suppress(NotFound):
        before = await trial.place.get(trial.way.kind.gvr, trial.key)
    deed = await trial.deed().prepare()
    assert [preview.error for preview in deed.previews] == [None]
    assert trial.wire.count(is_dry_run) == 1
    assert trial.wire.writes == []
    if before is None:
        with pytest.raises(NotFound):
            await trial.place.get(trial.way.kind.gvr, trial.key)
    else:
        now = await trial.place.get(trial.way.kind.gvr, trial.key)
        # A deployment's status may have come meanwhile.
        assert (now["metadata"]["uid"], now.get("spec")) == (before["metadata"]["uid"], before.get("spec"))
        assert not await trial.is_done()


async def test_the_preview_of_an_eviction_changes_nothing(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects
) -> None:
    """The pod stays, and is not told to go."""
    pod = specimens.pod(namespace, "p", {"nodeSelector": {"nothing": "has-this"}})
    made = await objects.apply(pod)
    deed = await Deed(session, EVICT, PODS, ObjectKey(namespace, "p")).prepare()
    assert [preview.error for preview in deed.previews] == [None]
    now = await objects.get(pod)
    assert now["metadata"]["uid"] == made["metadata"]["uid"]
    assert "deletionTimestamp" not in now["metadata"]


async def test_a_preview_shows_what_it_changes_itself(
    session: Session, namespace: str, objects: Objects, wire: FaultyWire
) -> None:
    """What others changed since it was read is in both; when nobody did, nothing is read for that."""
    await objects.apply(configmap(namespace))
    deed = await Deed(session, ANNOTATE, CONFIGMAPS, ObjectKey(namespace, "c"), words="a=b").prepare()
    reads = wire.count(lambda asked: asked.method == "GET" and asked.path.endswith("/configmaps/c"))
    (preview,) = (await deed.undertaking.previews())[deed.undertaking.works[0]]
    assert wire.count(lambda asked: asked.method == "GET" and asked.path.endswith("/configmaps/c")) == reads
    await objects.change(configmap(namespace), {"metadata": {"annotations": {"theirs": "1"}}})
    (preview,) = (await deed.undertaking.previews())[deed.undertaking.works[0]]
    assert (_notes(preview.before), _notes(preview.after)) == ({"theirs": "1"}, {"theirs": "1", "a": "b"})


# -- nobody there ----------------------------------------------------------------------------------


async def noticed(session: Session) -> None:
    """Wait until no connection of before is tried any more."""

    async def refused() -> bool:
        try:
            await Place(session).get(CONFIGMAPS.gvr, ObjectKey("default", "x"))
        except ConnectionFailed as error:
            return error.reason == "connection refused"
        return False

    await until(refused)


@every_way()
async def test_a_server_that_is_away_between_preview_and_write(trial: Trial) -> None:
    """Nothing is done, or nobody knows; what was filled in stays, and when it is back it is done once."""
    deed = await trial.deed().prepare()
    async with trial.wire.away():
        await noticed(trial.session)
        await deed.undertaking.do()
    (stage,) = stages(deed)
    assert deed.error is not None
    assert (stage, results(deed)) == (Stage.FAILED, ["failed"])
    assert deed.refusal.endswith("Nothing was done.")
    assert not await trial.is_done()
    await again(deed)
    assert stages(deed) == [Stage.DONE]
    assert await trial.is_done()
    assert len(trial.wire.writes) == 1


async def test_a_server_that_comes_back_while_it_is_looked_up(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It did the write and went away before it answered: that is found out as soon as it is back."""
    monkeypatch.setattr(undertaking, "LOOKS", (0.05,) * 100)
    await objects.apply(configmap(namespace))
    deed = await Deed(session, ANNOTATE, CONFIGMAPS, ObjectKey(namespace, "c"), words="a=b").prepare()
    wire.lose(Loss.ANSWER)
    doing = asyncio.create_task(deed.undertaking.do())
    await until(lambda: bool(wire.writes))
    async with wire.away():
        await until(lambda: any("Nobody knows yet" in said.text for said in deed.told))
        assert stages(deed) == [Stage.WRITING]
    await doing
    assert stages(deed) == [Stage.DONE]
    assert (len(wire.writes), results(deed)) == (1, ["done"])


async def test_the_api_server_restarts(
    cluster: Cluster, namespace: str, objects: Objects, opened: Opened, restart: Callable[[], Awaitable[None]]
) -> None:
    """What is done while it is away is done after it, once; the truth is told in between."""
    await objects.apply(configmap(namespace))
    key = ObjectKey(namespace, "c")
    deed = await Deed(await opened(), ANNOTATE, CONFIGMAPS, key, words="a=b").prepare()
    restarting = asyncio.ensure_future(restart())
    # It may still be there for a moment, and do it.
    await deed.undertaking.do()
    before = stages(deed)
    await restarting
    item = {}

    async def back() -> bool:
        with suppress(Exception):
            item.update(await objects.get(configmap(namespace)))
        return bool(item)

    await until(back, 60)
    assert before[0] in (Stage.UNKNOWN, Stage.DONE if _notes(item) else Stage.FAILED)
    if before != [Stage.DONE]:
        await again(deed)
    assert stages(deed) == [Stage.DONE]
    assert _notes(await objects.get(configmap(namespace))) == {"a": "b"}


# -- nothing heard ---------------------------------------------------------------------------------


@every_way()
@pytest.mark.parametrize("loss", Loss)
async def test_a_line_that_breaks(loss: Loss, trial: Trial) -> None:
    """Whether it was done is looked up, told and kept; it is written once, and once more when somebody wants it."""
    deed = await trial.deed().prepare()
    trial.wire.lose(loss)
    await deed.undertaking.do()
    assert len(trial.wire.writes) == 1
    assert any("Nobody knows yet" in said.text for said in deed.told)
    if loss is Loss.ANSWER:
        assert (stages(deed), results(deed)) == ([Stage.DONE], ["done"])
        assert await trial.is_done()
        return
    assert (stages(deed), results(deed)) == ([Stage.FAILED], ["failed"])
    assert deed.refusal.endswith("Nothing was done.")
    assert not await trial.is_done()
    await again(deed)
    assert (stages(deed), results(deed)) == ([Stage.DONE], ["failed", "done"])
    assert len(trial.wire.writes) == 2
    assert await trial.is_done()


@every_way()
async def test_nobody_knows(trial: Trial) -> None:
    """The line stays broken: that is told and kept, and later it can be looked at again, with what was filled in."""
    deed = await trial.deed().prepare()
    trial.wire.lose(Loss.ANSWER, lambda asked: True, 1000)
    await deed.undertaking.do()
    trial.wire.mend()
    assert (stages(deed), results(deed)) == ([Stage.UNKNOWN], ["unknown"])
    assert "It is not known whether it was done." in deed.refusal
    assert await trial.is_done()


@every_way("delete")
async def test_a_gateway_that_gives_up(trial: Trial) -> None:
    """A 504 of what stands between: the server does it all the same, later."""
    deed = await trial.deed().prepare()
    trial.wire.answer(504, "upstream request timeout", when=is_write)
    doing = asyncio.create_task(deed.undertaking.do())
    await until(lambda: bool(deed.told))
    (step,) = deed.undertaking.works[0].steps
    await trial.place.send(step.write)
    await doing
    assert (stages(deed), results(deed)) == ([Stage.DONE], ["done"])
    assert len(trial.wire.writes) == 1


async def test_an_undo_whose_answer_is_lost(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects, tmp_path: Path
) -> None:
    """It tests that nobody changed anything since, so it cannot be tried once more to see whether it was done."""
    await objects.apply({**configmap(namespace, annotations={"a": "1"}), "data": {"x": "y"}})
    key, journal = ObjectKey(namespace, "c"), Journal("https://x", "x", folder=tmp_path / "journal")
    deed = Deed(session, ANNOTATE, CONFIGMAPS, key, words="a=2\nb=3", overwrite=True)

    def keep(written: Written) -> None:
        journal.append(entry_of(written, context="x", at=1.0))

    deed.undertaking.keep = keep
    await deed.done()
    entries = journal.entries()
    place = Place(session)
    (target,) = await undo_targets(place, entries)
    for loss, stage in ((Loss.REQUEST, Stage.FAILED), (Loss.ANSWER, Stage.DONE)):
        back = Deed(session, undo_action(entries), target.kind, target.key)
        await back.prepare()
        wire.lose(loss)
        await back.undertaking.do()
        assert stages(back) == [stage], back.error
        assert _notes(await objects.get(configmap(namespace))) == (
            {"a": "1"} if stage is Stage.DONE else {"a": "2", "b": "3"}
        )


async def test_a_name_that_was_taken_already(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects
) -> None:
    """The answer is lost: what is there was there before, so nothing was done."""
    deed = await Deed(session, CREATE_CONFIGMAP, CONFIGMAPS, ObjectKey(namespace, ""), name="c").prepare()
    await objects.apply({**configmap(namespace), "data": {"theirs": "1"}})
    wire.lose(Loss.ANSWER)
    await deed.undertaking.do()
    assert (stages(deed), results(deed)) == ([Stage.FAILED], ["failed"])


# -- a server that says no -------------------------------------------------------------------------


@every_way()
async def test_a_conflict(trial: Trial) -> None:
    """It is told as one, nothing is tried again by itself; read anew, it is done."""
    deed = await trial.deed().prepare()
    words = "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest"
    status = {"kind": "Status", "code": 409, "reason": "Conflict", "message": words}
    trial.wire.answer(409, status, when=is_write)
    await deed.undertaking.do()
    assert (stages(deed), results(deed)) == ([Stage.FAILED], ["failed"])
    assert isinstance(deed.error, Conflict)
    assert words in deed.refusal
    assert len(trial.wire.writes) == 1
    assert not await trial.is_done()
    await again(deed)
    assert stages(deed) == [Stage.DONE]
    assert await trial.is_done()


@pytest.mark.parametrize("trial", ["scale", "restart", "annotate"], indirect=True)
async def test_a_storm_of_changes(trial: Trial, client: Client) -> None:
    """Somebody changes the object all the time: it is done once, theirs stays, and only ours is ours to undo."""
    path, count, over = trial.way.kind.gvr.path(*trial.key), 0, False

    async def storm() -> None:
        nonlocal count
        while not over:
            count += 1
            body = json.dumps({"metadata": {"annotations": {"storm": str(count)}}}).encode()
            await client.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    storming = [asyncio.create_task(storm()) for _ in range(3)]
    try:
        await until(lambda: count > 10)
        deed = await trial.deed().prepare()
        await deed.undertaking.do()
        tries = 1
        while stages(deed) != [Stage.DONE]:
            assert isinstance(deed.error, Conflict)
            assert tries < 20
            await again(deed)
            tries += 1
        seen = count
        await until(lambda: count > seen + 5)
    finally:
        over = True
        await asyncio.gather(*storming)
    assert len(trial.wire.writes) == tries
    assert await trial.is_done()
    assert int(_notes(await trial.place.get(trial.way.kind.gvr, trial.key))["storm"]) > seen
    entry = entry_of(deed.written[-1], context="x", at=1.0)
    assert "storm" not in str(entry.undo)


@pytest.mark.parametrize("trial", ["annotate"], indirect=True)
async def test_a_storm_in_which_an_answer_is_lost(trial: Trial, client: Client) -> None:
    """What others change meanwhile does not hide whether it was done."""
    path = trial.way.kind.gvr.path(*trial.key)

    async def change() -> None:
        body = json.dumps({"metadata": {"annotations": {"storm": secrets.token_hex(2)}}}).encode()
        await client.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    for loss, stage in ((Loss.REQUEST, Stage.FAILED), (Loss.ANSWER, Stage.DONE)):
        deed = await trial.deed().prepare()
        trial.wire.lose(loss)
        doing = asyncio.create_task(deed.undertaking.do())
        while not doing.done():
            await change()
        await doing
        assert stages(deed) == [stage]
    assert await trial.is_done()


@every_way()
@pytest.mark.parametrize("plain", [False, True])
async def test_a_server_that_asks_to_wait(plain: bool, trial: Trial) -> None:
    """That is told, and then it is done, once."""
    deed = await trial.deed().prepare()
    words = "Too many requests, please try again later.\n"
    status = {"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": words}
    trial.wire.answer(429, words if plain else status, headers={"Retry-After": "1"}, when=is_write)
    began = time.monotonic()
    await deed.undertaking.do()
    assert time.monotonic() - began > 0.95
    assert (stages(deed), results(deed)) == ([Stage.DONE], ["done"])
    assert deed.told[0].text == "The cluster asks to wait 1 s; then it is tried again."
    assert not any(work.said for work in deed.undertaking.works)
    assert len(trial.wire.writes) == 2
    assert await trial.is_done()


async def test_credentials_that_are_not_accepted(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects
) -> None:
    """A 401 says that nothing was done; it is not looked up."""
    await objects.apply(configmap(namespace))
    deed = await Deed(session, ANNOTATE, CONFIGMAPS, ObjectKey(namespace, "c"), words="a=b").prepare()
    wire.answer(401, {"kind": "Status", "code": 401, "reason": "Unauthorized"}, when=is_write, times=2)
    await deed.undertaking.do()
    assert (stages(deed), results(deed)) == ([Stage.FAILED], ["failed"])
    assert deed.refusal == "The cluster does not accept your credentials."
    assert deed.told == []


# -- admission webhooks ----------------------------------------------------------------------------

WHY = "no changes on Fridays, says the shop team"


@asynccontextmanager
async def webhook(cluster: Cluster, objects: Objects, namespace: str) -> AsyncIterator[str]:
    """One that refuses all that is done in a namespace; gives its name."""
    name = f"{namespace}.test.ktui.dev"
    if cluster.demo is not None:
        faults = cluster.demo.server.faults
        faults.deny(WHY, webhook=name, path=f"/namespaces/{namespace}/")
        yield name
        faults.clear()
        return
    async with AsyncExitStack() as stack:
        url, authority = await _refusing(stack)
        rules = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}]
        hook = {
            "name": name,
            "rules": rules,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "clientConfig": {"url": url, "caBundle": authority},
            "sideEffects": "None",
            "failurePolicy": "Ignore",
            "admissionReviewVersions": ["v1"],
            "matchConditions": [{"name": "people", "expression": "!request.userInfo.username.startsWith('system:')"}],
        }
        manifest: Manifest = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [hook],
        }
        probe = f"/api/v1/namespaces/{namespace}/configmaps/c"
        await objects.apply(manifest)
        stack.push_async_callback(objects.delete, manifest)

        async def heeded() -> bool:
            try:
                await objects.patch(probe, {"data": {}}, MERGE_PATCH, dryRun="All")
            except ApiError as error:
                return WHY in error.message
            return False

        await until(heeded, 30, "the webhook is never asked")
        yield name


async def _refusing(stack: AsyncExitStack) -> tuple[str, str]:
    """The URL of a webhook that refuses everything, and the authority of its certificate."""

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        verdict = {"uid": asked["request"]["uid"], "allowed": False, "status": {"code": 403, "message": WHY}}
        return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": verdict})

    identity = make_identity()
    application = web.Application()
    application.router.add_post("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=identity.context).start()
    return f"https://127.0.0.1:{runner.addresses[0][1]}/", base64.b64encode(identity.authority).decode()


@every_way()
async def test_a_webhook_refuses(trial: Trial, cluster: Cluster, objects: Objects) -> None:
    """In its own words, before and after; nothing is tried again."""
    async with webhook(cluster, objects, trial.namespace) as name:
        deed = await trial.deed().prepare()
        words = f'admission webhook "{name}" denied the request: {WHY}.'
        (preview,) = deed.previews
        assert isinstance(preview.error, Forbidden)
        assert preview.error.sentence == words
        assert preview.refused
        await deed.undertaking.do()
        assert (stages(deed), results(deed)) == ([Stage.FAILED], ["failed"])
        assert (deed.refusal, deed.told) == (words, [])
        assert len(trial.wire.writes) == 1
    assert not await trial.is_done()


@every_way()
async def test_a_webhook_that_knows_no_dry_run(trial: Trial) -> None:
    """It refuses the preview, which says nothing about the write: that can be done."""
    words = 'admission webhook "x.example.com" does not support dry run'
    status = {"kind": "Status", "code": 400, "reason": "BadRequest", "message": words}
    trial.wire.answer(400, status, when=is_dry_run)
    deed = await trial.deed().prepare()
    assert [preview.refused for preview in deed.previews] == [False]
    await deed.undertaking.do()
    assert stages(deed) == [Stage.DONE]
    assert await trial.is_done()


# -- a slow server ---------------------------------------------------------------------------------


@asynccontextmanager
async def alive(cluster: Cluster) -> AsyncIterator[None]:
    """Assert that nothing keeps the event loop's thread at work for too long; a busy machine is nobody's fault."""
    longest, ended = 0.0, False

    async def look() -> None:
        nonlocal longest
        while not ended:
            before = time.thread_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.thread_time() - before)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        ended = True
        await looking
    assert longest < LONGEST_BLOCK[cluster.kind]


async def many(objects: Objects, namespace: str, number: int) -> list[ObjectKey]:
    """Config maps, of some size."""
    names = [f"c-{place:02}" for place in range(number)]
    for name in names:
        await objects.apply({**configmap(namespace, name), "data": {"file": "x" * 20_000}})
    return [ObjectKey(namespace, name) for name in names]


async def test_a_slow_server_holds_up_one_target_only(
    cluster: Cluster, session: Session, wire: FaultyWire, namespace: str, objects: Objects, tmp_path: Path
) -> None:
    """The others go on meanwhile; the one that waits is done when it is answered, and the screen stays alive."""
    keys = await many(objects, namespace, 30)
    deed = Deed(session, ANNOTATE, CONFIGMAPS, *keys, words="a=b")
    journal = Journal("https://x", "x", folder=tmp_path / "journal")

    def keep(written: Written) -> None:
        journal.append(entry_of(written, context="x", at=1.0))

    deed.undertaking.keep = keep
    goes_on = wire.keep_waiting(lambda asked: is_write(asked) and asked.path.endswith("/c-00"))
    async with alive(cluster):
        await deed.prepare()
        doing = asyncio.create_task(deed.undertaking.do())
        await until(lambda: stages(deed).count(Stage.DONE) == len(keys) - 1)
        assert stages(deed)[0] is Stage.WRITING
        goes_on.set()
        await doing
    assert set(stages(deed)) == {Stage.DONE}
    assert len(wire.writes) == len(keys) == len(journal.entries())


# -- stopping --------------------------------------------------------------------------------------


async def test_what_has_not_begun_is_not_begun(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects
) -> None:
    """What is under way comes to its end; the rest can be done later, and only that is."""
    keys = await many(objects, namespace, AT_ONCE + 4)
    deed = await Deed(session, ANNOTATE, CONFIGMAPS, *keys, words="a=b").prepare()
    goes_on = wire.keep_waiting()
    doing = asyncio.create_task(deed.undertaking.do())
    await until(lambda: wire.waiting == AT_ONCE)
    deed.undertaking.cancel()
    assert stages(deed).count(Stage.CANCELLED) == 4
    goes_on.set()
    await doing
    assert stages(deed) == [Stage.DONE] * AT_ONCE + [Stage.CANCELLED] * 4
    assert len(wire.writes) == AT_ONCE
    await again(deed)
    assert stages(deed) == [Stage.DONE] * 4
    assert sorted(asked.path.rpartition("/")[2] for asked in wire.writes) == sorted(key.name for key in keys)


async def test_what_says_nothing_can_be_stopped(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects
) -> None:
    """A rollout that does not go on is left at once, and so are its watches."""
    made = unschedulable(namespace)
    await objects.apply(made)
    deed = await Deed(session, ROLLOUT_STATUS, DEPLOYMENTS, ObjectKey(namespace, "web")).prepare()
    doing = asyncio.create_task(deed.undertaking.do())
    await until(lambda: bool(deed.told) and wire.watches >= 3)
    deed.undertaking.cancel()
    async with asyncio.timeout(1):
        await doing
    assert stages(deed) == [Stage.DONE]
    await until(lambda: wire.watches == 0)


# -- outages while it is followed ------------------------------------------------------------------


async def leaving(session: Session, objects: Objects, namespace: str) -> tuple[Deed, asyncio.Task[None]]:
    """A deletion that is followed, and does not end as long as a finalizer is there."""
    await objects.apply(configmap(namespace, finalizers=[FINALIZER]))
    deed = await Deed(session, DELETE, CONFIGMAPS, ObjectKey(namespace, "c")).prepare()
    doing = asyncio.create_task(deed.undertaking.do())
    await until(lambda: any(FINALIZER in said.text for said in deed.told))
    return deed, doing


async def let_go(objects: Objects, namespace: str) -> None:
    """Take the finalizer away."""
    await objects.change(configmap(namespace), {"metadata": {"finalizers": None}})


def is_watch(asked: Asked) -> bool:
    return asked.watch and asked.path.endswith("/configmaps")


GONE = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
DENIED = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "watch is not allowed"}


async def _end(wire: FaultyWire) -> None:
    wire.end_watches()


async def _break(wire: FaultyWire) -> None:
    wire.break_watches()


async def _expire(wire: FaultyWire) -> None:
    await wire.say({"type": "ERROR", "object": GONE})


async def _refuse(wire: FaultyWire) -> None:
    wire.answer(410, GONE, when=is_watch)
    wire.end_watches()


async def _forbid(wire: FaultyWire) -> None:
    wire.answer(403, DENIED, when=is_watch, times=100)
    wire.end_watches()


async def _overload(wire: FaultyWire) -> None:
    wire.answer(429, "slow down", headers={"Retry-After": "1"}, when=is_watch)
    wire.answer(503, "starting", when=lambda asked: asked.path.endswith("/configmaps"))
    wire.end_watches()


async def _leave(wire: FaultyWire) -> None:
    async with wire.away():
        await asyncio.sleep(0)


@pytest.mark.parametrize("outage", [_end, _break, _expire, _refuse, _forbid, _overload, _leave])
async def test_following_goes_on_after_an_outage(
    outage: Callable[[FaultyWire], Awaitable[None]],
    session: Session,
    wire: FaultyWire,
    namespace: str,
    objects: Objects,
) -> None:
    """Whatever becomes of the watch, the end is seen, and nothing is written for it."""
    deed, doing = await leaving(session, objects, namespace)
    await until(lambda: wire.watches == 1)
    await outage(wire)
    await let_go(objects, namespace)
    async with asyncio.timeout(20):
        await doing
    assert stages(deed) == [Stage.DONE]
    assert deed.told[-1].text == "Gone."
    assert len(wire.writes) == 1


async def test_one_that_comes_back_while_nobody_looks(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects
) -> None:
    """Another of the same name is not taken for the one that was deleted."""
    deed, doing = await leaving(session, objects, namespace)
    async with wire.away():
        await let_go(objects, namespace)
        await objects.apply(configmap(namespace))
    async with asyncio.timeout(20):
        await doing
    assert deed.told[-1].text == "Gone; a new one has taken its place."
    assert await objects.get(configmap(namespace))


async def test_a_rollout_whose_deployment_is_made_anew(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects
) -> None:
    """The one that is followed is gone."""
    made = unschedulable(namespace)
    await objects.apply(made)
    deed = await Deed(session, ROLLOUT_STATUS, DEPLOYMENTS, ObjectKey(namespace, "web")).prepare()
    doing = asyncio.create_task(deed.undertaking.do())
    await until(lambda: bool(deed.told))
    async with wire.away():
        await objects.delete(made, propagationPolicy="Background")

        async def made_anew() -> bool:
            try:
                return "deletionTimestamp" not in (await objects.get(made))["metadata"]
            except NotFound:
                await objects.apply(made)
                return False

        await until(made_anew)
    async with asyncio.timeout(20):
        await doing
    assert deed.told[-1].text == f"deployment {namespace}/web is gone."


async def test_a_write_that_may_not_be_followed_is_done(
    session: Session, wire: FaultyWire, namespace: str, objects: Objects
) -> None:
    """Whoever may scale need not be allowed to look: it is told that it was done."""
    await objects.apply(deployment(namespace))
    deed = await Deed(session, SCALE, DEPLOYMENTS, ObjectKey(namespace, "web"), replicas=1).prepare()
    wire.answer(403, DENIED, when=lambda asked: asked.method == "GET", times=1000)
    await deed.undertaking.do()
    assert (stages(deed), results(deed)) == ([Stage.DONE], ["done"])
    assert deed.told[-1].text.startswith("It was done. How it goes on is not known: ")
    assert (await objects.get(deployment(namespace)))["spec"]["replicas"] == 1
