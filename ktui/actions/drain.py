"""Drain: cordon a node, and evict its pods until none is left that can go.

As `kubectl drain` does it (k8s.io/kubectl/pkg/drain): the node is cordoned first, then its pods are judged, and when
one of them needs a switch that is off, none is evicted and the node stays cordoned. An eviction that a disruption
budget refuses is tried again every five seconds.
See https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from ktui.actions.action import (
    Access,
    Action,
    Asks,
    Cluster,
    Doing,
    JsonObject,
    Refusal,
    Said,
    Step,
    Target,
)
from ktui.actions.cordon import cordon_step, cordoned, offers, others_that_take_pods
from ktui.actions.draining import (
    GVR_BUDGETS,
    GVR_DAEMON_SETS,
    LOCAL_STORAGE_FATAL,
    UNMANAGED_FATAL,
    Absent,
    Fate,
    Protection,
    Switches,
    Verdict,
    concerns,
    controller_of,
    daemon_set_of,
    disruptions_allowed,
    empty_dirs,
    is_leaving,
    judged,
    key_of,
    protection,
    refusals,
)
from ktui.actions.evict import GRACE, GRACE_FIELD, eviction_step, leaving
from ktui.actions.form import Form, NumberField, SwitchField, Values
from ktui.actions.metadata_words import aggregate, quoted
from ktui.kinds.names import GVR_PODS, ObjectKey
from ktui.kinds.tone import Tone
from ktui.kube.errors import ApiError, Conflict, Forbidden, KtuiError, NotFound, TooManyRequests

IGNORE_DAEMON_SETS, DELETE_EMPTY_DIR, FORCE, TIMEOUT = "ignore_daemonsets", "delete_emptydir_data", "force", "timeout"

AT_ONCE = 5
"""How many evictions are asked for at the same time."""

RETRY = 5.0
"""Seconds until a refused eviction is tried again, as in kubectl; more when the server says so."""

_FORM = Form(
    (
        SwitchField(
            name=IGNORE_DAEMON_SETS, label="Ignore DaemonSets", help="leave their pods; they would come back", on=True
        ),
        SwitchField(name=DELETE_EMPTY_DIR, label="Delete emptyDir data", help="evict pods that lose files by it"),
        SwitchField(name=FORCE, label="Force", help="evict pods that nothing makes again"),
        GRACE_FIELD,
        NumberField(
            name=TIMEOUT, label="Timeout", help="seconds to give up after; empty for never", minimum=1, required=False
        ),
    )
)


def drain_line(target: Target, values: Values) -> tuple[str, ...]:
    """The kubectl line that does the whole of it."""
    flags = [
        flag
        for flag, on in (
            ("--ignore-daemonsets", values[IGNORE_DAEMON_SETS]),
            ("--delete-emptydir-data", values[DELETE_EMPTY_DIR]),
            ("--force", values[FORCE]),
            (f"--grace-period={values[GRACE]}", values[GRACE] is not None),
            (f"--timeout={values[TIMEOUT]}s", values[TIMEOUT] is not None),
        )
        if on
    ]
    return ("kubectl", "drain", target.key.name, *flags)


def _plan(target: Target, values: Values) -> Sequence[Step]:
    if cordoned(target.live):
        return ()
    return (replace(cordon_step(target), kubectl=drain_line(target, values)),)


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return _FORM


async def verdicts(cluster: Cluster, node: str, values: Values) -> list[Verdict]:
    """What becomes of each pod of a node as it is now.

    Raises:
        KtuiError: the pods cannot be read.
    """
    pods = await cluster.objects(GVR_PODS, fields=f"spec.nodeName={node}")
    switches = Switches(values[IGNORE_DAEMON_SETS], values[DELETE_EMPTY_DIR], values[FORCE])
    wanted = dict.fromkeys(key for pod in pods if (key := daemon_set_of(pod)) is not None)
    found = await asyncio.gather(*(_absent(cluster, key) for key in wanted))
    absent = {key: missing for key, missing in zip(wanted, found, strict=True) if missing is not None}
    return [judged(pod, switches, absent) for pod in pods]


async def _absent(cluster: Cluster, key: ObjectKey) -> Absent | None:
    try:
        await cluster.get(GVR_DAEMON_SETS, key)
    except KtuiError as error:
        return Absent(error.message if isinstance(error, ApiError) else error.sentence, isinstance(error, NotFound))
    return None


# -- what is said before ---------------------------------------------------------------------------


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    budgets: list[JsonObject] = []
    said: list[Said] = []
    try:
        budgets = await cluster.objects(GVR_BUDGETS)
    except KtuiError as error:
        said.append(Said(f"Which disruption budgets protect pods cannot be read: {error.sentence}", Tone.UNKNOWN))
    for target in targets:
        try:
            found = await verdicts(cluster, target.key.name, values)
        except KtuiError as error:
            said.append(Said(f"The pods of {target.key.name} cannot be read: {error.sentence}", Tone.UNKNOWN))
            continue
        said += summary(target, found, budgets)
        said += [foretold(verdict, protection(verdict.pod, budgets)) for verdict in found]
    return (*said, *await others_that_take_pods(cluster, targets))


def summary(target: Target, found: Sequence[Verdict], budgets: Sequence[JsonObject]) -> Iterable[Said]:
    """What becomes of a node's pods, all in all.

    Args:
        target: the node.
        found: what becomes of each of its pods.
        budgets: all PodDisruptionBudgets.
    """
    node = target.key.name
    if errors := refusals(found):
        yield Said(f"{node} will not be drained: {aggregate(errors)}.", Tone.FAILED)
        stays = "stays" if target.item is not None and cordoned(target.item) else "will all the same be"
        yield Said(f"No pod will be evicted, and {node} {stays} cordoned, as with kubectl.", Tone.WARNING)
        return
    evicted = [verdict.pod for verdict in found if verdict.fate is Fate.EVICTED]
    yield Said(f"{node}: {len(evicted):,} of {len(found):,} pods will be evicted.")
    for budget in budgets:
        count = sum(1 for pod in evicted if concerns(budget, pod) and protection(pod, [budget]).counted)
        if 0 < disruptions_allowed(budget) < count:
            name, allowed = key_of(budget), disruptions_allowed(budget)
            yield Said(f"Disruption budget {name} lets {allowed:,} of {count:,} pods go now; the others wait.")


def foretold(verdict: Verdict, budgets: Protection) -> Said:
    """What becomes of a pod, in a line about it.

    Args:
        verdict: what becomes of it.
        budgets: what disruption budgets say to that now.
    """
    pod, about = verdict.pod, str(key_of(verdict.pod))
    match verdict.fate:
        case Fate.IGNORED:
            return Said("Stays: its DaemonSet would make it again.", Tone.FINISHED, about)
        case Fate.SKIPPED:
            return Said("Stays: the kubelet runs it by itself (mirror pod).", Tone.FINISHED, about)
        case Fate.REFUSED:
            return Said(_needs(verdict), Tone.FAILED, about)
    why = f" {verdict.why[:1].upper()}{verdict.why[1:]}." if verdict.why else ""
    if budgets.words:
        end = "" if budgets.words.endswith(".") else "."
        head = f"Refused, because of budgets {', '.join(budgets.names)}" if budgets.for_ever else "Waits"
        tone = Tone.FAILED if budgets.for_ever else Tone.WARNING
        return Said(f"{head}: {budgets.words}{end}{why}", tone, about)
    allowed = f"; budget {budgets.names[0]} allows it now" if budgets.names else ""
    lost = bool(empty_dirs(pod)) or controller_of(pod) is None
    going = "Evicted" if not is_leaving(pod) else "Evicted; it is terminating already"
    return Said(f"{going}{allowed}.{why}", Tone.WARNING if lost and verdict.why else Tone.PLAIN, about)


def _needs(verdict: Verdict) -> str:
    if verdict.why == LOCAL_STORAGE_FATAL:
        return f"Needs `Delete emptyDir data`: it would lose what is in {', '.join(empty_dirs(verdict.pod))}."
    if verdict.why == UNMANAGED_FATAL:
        return "Needs `Force`: it has no controller, so nothing makes it again."
    if daemon_set_of(verdict.pod) is not None and verdict.why.startswith("DaemonSet"):
        return "Needs `Ignore DaemonSets`: its DaemonSet would make it again."
    return f"Its DaemonSet cannot be read: {verdict.why}"


# -- the evictions ---------------------------------------------------------------------------------


async def _follow(doing: Doing) -> AsyncGenerator[Said, None]:
    node = doing.target.key.name
    found = await verdicts(doing.cluster, node, doing.values)
    if errors := refusals(found):
        for verdict in found:
            if verdict.fate is Fate.REFUSED:
                yield foretold(verdict, Protection())
        raise _undrained(node, errors, "No pod was evicted; the node stays cordoned.")
    for verdict in found:
        if verdict.fate is not Fate.EVICTED:
            yield foretold(verdict, Protection())
    evictions = Evictions(doing, [verdict.pod for verdict in found if verdict.fate is Fate.EVICTED])
    async with aclosing(evictions.run()) as lines:
        async for said in lines:
            yield said
    if evictions.failed:
        raise _undrained(node, list(evictions.failed.values()), "The node stays cordoned; its other pods were evicted.")
    yield Said("Drained.", Tone.GOOD)


def _undrained(node: str, errors: Sequence[str], advice: str) -> Refusal:
    return Refusal(f"unable to drain node {quoted(node)} due to error: {aggregate(errors)}", advice)


class Evictions:
    """The pods of a node on their way out.

    Args:
        doing: the drain.
        pods: those to evict.

    Attributes:
        failed: kubectl's words for each pod that could not be evicted, by its UID.
    """

    def __init__(self, doing: Doing, pods: Sequence[JsonObject]) -> None:
        self.failed: dict[str, str] = {}
        self._doing = doing
        self._pods: Mapping[str, JsonObject] = {pod["metadata"]["uid"]: pod for pod in pods}
        self._gone = {uid: asyncio.Event() for uid in self._pods}
        self._accepted: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._lines: asyncio.Queue[Said | None] = asyncio.Queue()

    async def run(self) -> AsyncGenerator[Said, None]:
        """How it goes, until every pod is gone or has failed. When it is closed before that, nothing new begins."""
        work = asyncio.create_task(self._all())
        try:
            while (said := await self._lines.get()) is not None:
                yield said
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _all(self) -> None:
        seconds = self._doing.values[TIMEOUT]
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch())
                await asyncio.gather(*(group.create_task(self._one(uid)) for uid in self._pods))
                watching.cancel()
        except BaseExceptionGroup as group:
            # One thing went wrong first; what ended because of it says nothing more.
            raise group.exceptions[0] from None
        except TimeoutError:
            for uid in self._pods:
                if not self._gone[uid].is_set() and uid not in self.failed:
                    self._fail(uid, f"global timeout reached: {go_duration(seconds)}")
        finally:
            self._lines.put_nowait(None)

    async def _one(self, uid: str) -> None:
        step = eviction_step(self._pods[uid], self._doing.values[GRACE])
        self._say(uid, "Evicting.")
        while not self._gone[uid].is_set():
            try:
                async with self._slots:
                    await self._written(step)
            except NotFound:
                break
            except KtuiError as error:
                if (wait := self._retried(uid, error)) is None:
                    self._fail(uid, error.message if isinstance(error, ApiError) else error.sentence)
                    return
                await self._sleep(uid, wait)
            else:
                self._accepted.add(uid)
                break
        await self._gone[uid].wait()
        self._say(uid, "Gone.", Tone.GOOD)

    def _retried(self, uid: str, error: KtuiError) -> float | None:
        """After how many seconds an eviction is tried again; None when it has failed."""
        match error:
            case TooManyRequests():
                budgets = [cause.message for cause in error.details.causes if cause.reason == "DisruptionBudget"]
                self._say(uid, f"Waiting: {'; '.join(budgets) or error.message}", Tone.WARNING)
                return max(RETRY, error.retry_after or 0)
            case Forbidden() if any(cause.reason == "NamespaceTerminating" for cause in error.details.causes):
                self._say(uid, f"Waiting: {error.message}", Tone.WARNING)
                return RETRY
            case Conflict():
                # A pod of this name with another UID: the watch will tell that this one is gone.
                return RETRY
        return None

    async def _written(self, step: Step) -> None:
        """Ask for an eviction. One that is under way is heard to its end, so that the journal knows how it went."""
        writing = asyncio.ensure_future(self._doing.write(step))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.gather(writing, return_exceptions=True)
            raise

    async def _sleep(self, uid: str, seconds: float) -> None:
        """Wait, but not beyond the end of the pod."""
        try:
            async with asyncio.timeout(seconds):
                await self._gone[uid].wait()
        except TimeoutError:
            return

    async def _watch(self) -> None:
        fields = f"spec.nodeName={self._doing.target.key.name}"
        async with aclosing(self._doing.cluster.watch_all(GVR_PODS, fields=fields)) as looks:
            async for pods in looks:
                self._seen({pod["metadata"]["uid"]: pod for pod in pods})

    def _seen(self, there: Mapping[str, JsonObject]) -> None:
        """Take note of the pods that are on the node now."""
        for uid, gone in self._gone.items():
            if uid not in there:
                gone.set()
            elif uid not in self.failed and (uid in self._accepted or is_leaving(there[uid])):
                said = leaving(there[uid])
                self._say(uid, said.text, said.tone)

    def _say(self, uid: str, text: str, tone: Tone = Tone.WORKING) -> None:
        self._lines.put_nowait(Said(text, tone, str(key_of(self._pods[uid]))))

    def _fail(self, uid: str, words: str) -> None:
        key = key_of(self._pods[uid])
        self.failed[uid] = f"error when evicting pods/{quoted(key.name)} -n {quoted(key.namespace)}: {words}"
        self._say(uid, words, Tone.FAILED)


def go_duration(seconds: int) -> str:
    """Seconds as Go prints a duration: `1h0m30s`, `5m0s`, `45s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if hours or minutes else ''}{rest}s"


DRAIN = Action(
    id="drain",
    key="D",
    title="Drain",
    help="Cordon the node and evict its pods.",
    plan=_plan,
    offers=offers,
    access=(Access("patch"), Access("list", gvr=GVR_PODS), Access("create", "eviction", GVR_PODS)),
    form=_form,
    weigh=_weigh,
    asks=lambda targets, values: Asks.NAME,
    follow=_follow,
    done="Drained",
)
