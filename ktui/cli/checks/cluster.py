"""Whether the server answers, whom it takes us for, and what that user may see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import msgspec

from ktui.cli.checks.finding import Finding, failed, good, warning
from ktui.kinds.builtin import HOME
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR_NODE_METRICS
from ktui.kinds.text import clean
from ktui.kinds.time import human_duration
from ktui.kube.access import can, whoami
from ktui.kube.client import Client, Response
from ktui.kube.errors import Forbidden, KtuiError, NotFound
from ktui.kube.kubeconfig import Kubeconfig

PATIENCE = 10.0
"""Seconds that an answer may take before the doctor calls it none."""

SKEW = 5.0
"""Seconds by which clocks may differ before ages look wrong."""

SLOW = 0.5
"""Seconds of a round trip above which it is worth a word."""


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


async def check_cluster(
    kubeconfig: Kubeconfig, context: str | None, namespace: str | None = None
) -> AsyncIterator[Finding]:
    """Everything that only the server can tell; nothing more once it does not answer.

    Args:
        kubeconfig: where the context is defined.
        context: its name; None for the current one.
        namespace: in which rights are asked about; the context's when None.
    """
    try:
        client = await Client.connect(kubeconfig, context)
    except KtuiError as error:
        yield failed(error.sentence, error.next_step)
        return
    try:
        began = time.perf_counter()
        await client.request("GET", "/version", idle=PATIENCE)
        connected = time.perf_counter()
        asked = time.time()
        answer = await client.request("GET", "/version", idle=PATIENCE)
        took = time.perf_counter() - connected
        yield _answers(client, answer, connected - began, took)
        yield clock_skew(answer.headers.get("Date", ""), asked + took / 2)
        yield await _user(client)
        for finding in await check_access(client, namespace or client.identity.namespace):
            yield finding
        yield await _metrics(client)
    except KtuiError as error:
        yield failed(error.sentence, error.next_step)
    finally:
        await client.close()


def _answers(client: Client, answer: Response, connect: float, took: float) -> Finding:
    try:
        version = clean(msgspec.json.decode(answer.body, type=_Version).git_version)
    except msgspec.MsgspecError:
        return failed(f"{client.identity.server} answers, but not as Kubernetes does", "Check the server's address.")
    text = f"{client.identity.server} answers in {took * 1000:.0f} ms ({connect * 1000:.0f} ms to connect): {version}"
    return good(text) if took < SLOW else warning(text, "ktui works, but everything takes that long at least.")


def clock_skew(date: str, now: float) -> Finding:
    """How far this machine's clock is from the server's.

    Args:
        date: the server's Date header; whole seconds.
        now: epoch seconds at which it was most likely written.
    """
    try:
        ahead = now - (parsedate_to_datetime(date).timestamp() + 0.5)
    except ValueError:
        return warning("the server does not tell its time, so the clocks cannot be compared")
    if abs(ahead) <= SKEW:
        return good("this machine's clock and the server's agree")
    direction = "ahead of" if ahead > 0 else "behind"
    return warning(
        f"this machine's clock is {human_duration(abs(ahead))} {direction} the server's, so ages are shown wrong",
        "Set the clock, best by NTP.",
    )


async def _user(client: Client) -> Finding:
    try:
        user = await whoami(client)
    except (KtuiError, msgspec.MsgspecError):
        user = None
    if user is None:
        return warning("the server does not tell whom it takes you for", "Kubernetes does from 1.28 on.")
    if user == "system:anonymous":
        return warning("the server takes you for nobody (system:anonymous)", "Check the user of the context.")
    return good(f"the server takes you for {clean(user)}")


async def check_access(client: Client, namespace: str) -> list[Finding]:
    """What the user may see of the four kinds of the home screen, everywhere or in one namespace."""
    scopes = await asyncio.gather(*(_scope(client, kind, namespace) for kind in HOME))
    findings = [_access(kind, scope, namespace) for kind, scope in zip(HOME, scopes, strict=True)]
    if not any(scope or scope is None for scope in scopes):
        findings.append(
            failed(
                f"you may list none of these, neither everywhere nor in namespace {namespace}",
                "Name a namespace where you may with -n, or ask whoever runs the cluster for a role (view is enough).",
            )
        )
    return findings


async def _scope(client: Client, kind: Kind, namespace: str) -> str | None:
    """Where a kind can be listed: `everywhere` or `namespace`, ` unwatched` behind it when it cannot be watched there.

    Empty for nowhere, None when the server does not say.
    """
    group, resource = kind.gvr.group, kind.gvr.resource
    places = {"everywhere": "", "namespace": namespace} if kind.namespaced else {"everywhere": ""}
    allowed = await asyncio.gather(
        *(can(client, verb, group, resource, place) for place in places.values() for verb in ("list", "watch"))
    )
    for name, listed, watched in zip(places, allowed[::2], allowed[1::2], strict=True):
        if listed:
            return name if watched else f"{name} unwatched"
    return None if None in allowed else ""


def _access(kind: Kind, scope: str | None, namespace: str) -> Finding:
    resource = kind.gvr.resource
    if scope is None:
        return warning(f"{resource}: the server does not say whether you may list them")
    if not scope:
        return warning(f"{resource}: you may not list them", "Their pane will say so; the others work.")
    where = f" in namespace {namespace}" if scope.startswith("namespace") else " everywhere" if kind.namespaced else ""
    if scope.endswith("unwatched"):
        return warning(f"{resource}: you may list them{where}, not watch", "They are listed again and again instead.")
    if scope == "namespace":
        return warning(f"{resource}: you may list and watch them{where} only", "Name other namespaces with -n.")
    return good(f"{resource}: you may list and watch them{where}")


async def _metrics(client: Client) -> Finding:
    hidden = "CPU and MEM stay hidden"
    try:
        await client.request("GET", GVR_NODE_METRICS.path(), query={"limit": "1"}, idle=PATIENCE)
    except NotFound:
        return warning(f"no metrics are served; {hidden}", "Install metrics-server for them.")
    except Forbidden:
        return warning(f"you may not read the nodes' metrics; {hidden} there", "Everything else works without.")
    except KtuiError as error:
        return warning(f"metrics cannot be read: {error.sentence.rstrip('.')}; {hidden}", error.next_step)
    return good("metrics are served: CPU and memory are shown")
