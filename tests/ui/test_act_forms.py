"""Every form, filled in by the keyboard alone: what it says before, and what the cluster has after."""

from __future__ import annotations

import re
from typing import Any

from textual.pilot import Pilot

from ktui.kinds.names import GVR_DEPLOYMENTS, GVR_NODES, GVR_PODS, ObjectKey
from tests.ui.acting import (  # noqa: F401 - nobody_waits is a fixture
    SMALL,
    browse,
    buttons,
    choose,
    fill,
    fits,
    focus,
    live,
    make,
    menu,
    nobody_waits,
    press,
    said,
    there,
    to_its_end,
    writes,
)
from tests.ui.conftest import World, screen_text, shows

DEPLOYMENTS = "deployments.apps"


async def done(world: World, pilot: Pilot[Any], *keys: str) -> str:
    """Do what the dialog is about, wait for its end, and close it; what was said then."""
    await pilot.press(*keys)
    await to_its_end(world, pilot)
    words = said(pilot)
    await pilot.press("escape")
    return words


async def test_expose(world: World) -> None:
    """The type by arrows; the pods that are matched, the YAML and the kubectl line follow as the form is filled in."""
    async with world.open() as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "storefront")
        await press(pilot, "x")
        assert "✖ A service called storefront is there already; choose another name." in said(pilot)
        assert "● Reaches 3 pods now, all ready." in said(pilot)
        assert buttons(pilot)["Expose"].disabled
        await press(pilot, "end", *"-2")
        assert "name: storefront-2" in said(pilot)
        assert "already" not in said(pilot)
        await press(pilot, "tab", "right")
        assert "type: NodePort" in said(pilot)
        assert "--name=storefront-2 --port=8080 --type=NodePort" in said(pilot)
        await press(pilot, "left", "left")
        assert "clusterIP: None" in said(pilot)
        await press(pilot, "left")
        # A name outside: the ports are not asked for any more, and the name is needed.
        assert "Ports" not in said(pilot, "#ask")
        assert said(pilot) == "What would happen stands here when the form is filled in."
        await fits(pilot)
        await fill(pilot, "", "db.example.com")
        assert "externalName: db.example.com" in said(pilot)
        await press(pilot, "shift+tab", "left", "tab")
        assert focus(pilot) == "ports"
        await fill(pilot, "80,none")
        assert said(pilot) == "What would happen stands here when the form is filled in."
        await press(pilot, *["backspace"] * 5, "tab")
        await fill(pilot, "8080")
        assert "targetPort: 8080" in said(pilot)
        words = await done(world, pilot, "enter")
        assert "3 of 3 endpoints ready" in words
        spec = live(world, "services", "shop", "storefront-2")["spec"]
        assert (spec["type"], spec["ports"][0]["port"], spec["ports"][0]["targetPort"]) == ("LoadBalancer", 80, 8080)


async def test_what_is_made_from_a_form(world: World) -> None:
    """n and a key: each form is filled in, shows what will be sent, and makes it."""
    async with world.open(size=SMALL, namespaces=("lesson",)) as pilot:
        await make(pilot, "d")
        assert focus(pilot) == "name"
        await fill(pilot, "web", "nginx:1.29", "2", "80", "nginx -g 'daemon off;'")
        await fits(pilot)
        line = "$ kubectl --context demo -n lesson create deployment web --image=nginx:1.29 --replicas=2 --port=80 --"
        assert line in said(pilot)
        assert "successfully rolled out" in await done(world, pilot, "enter")
        container = live(world, DEPLOYMENTS, "lesson", "web")["spec"]["template"]["spec"]["containers"][0]
        assert container["command"] == ["nginx", "-g", "daemon off;"]

        await make(pilot, "s")
        await fill(pilot, "away")
        await pilot.press("tab", "tab", "left", "left")
        await fill(pilot, "", "db.example.com")
        await fits(pilot)
        await done(world, pilot, "enter")
        assert live(world, "services", "lesson", "away")["spec"]["externalName"] == "db.example.com"

        await make(pilot, "s")
        # By hand: the service has no selector, and its endpoints are those addresses.
        await fill(pilot, "hand", "", "", "5432")
        await pilot.press("tab", "space", "tab")
        assert focus(pilot) == "addresses"
        await fill(pilot, "192.0.2.9")
        await fits(pilot)
        await done(world, pilot, "ctrl+s")
        assert "selector" not in live(world, "services", "lesson", "hand")["spec"]
        assert live(world, "endpointslices.discovery.k8s.io", "lesson", "hand-1")["endpoints"][0]["addresses"]

        await make(pilot, "n")
        await fill(pilot, "Quiet")
        await pilot.press("enter")
        assert "lowercase RFC 1123 label" in said(pilot, "#ask")
        await press(pilot, "home", "delete", "q")
        await done(world, pilot, "enter")
        assert there(world, "namespaces", "", "quiet")

        await make(pilot, "c")
        await fill(pilot, "settings", "", "a=1")
        await press(pilot, "enter", *"b=2", "tab")
        await fill(pilot, "app.conf")
        assert "Content" in said(pilot, "#ask")
        await fits(pilot)
        await done(world, pilot, "ctrl+s")
        assert live(world, "configmaps", "lesson", "settings")["data"] == {"app.conf": "", "a": "1", "b": "2"}

        await make(pilot, "j")
        await fill(pilot, "once", "busybox:1.37", "true")
        await done(world, pilot, "enter")
        assert there(world, "jobs.batch", "lesson", "once")
        assert sum(writes(world).values()) == 7


async def test_secrets_are_not_shown(world: World) -> None:
    """What is secret is masked as it is typed, in what will be sent, and in the kubectl line; the cluster gets it."""
    async with world.open(size=SMALL, namespaces=("lesson",)) as pilot:
        await make(pilot, "e")
        await fill(pilot, "door", "", "", "word=hunter2")
        text = screen_text(pilot)
        assert "hunter" not in text
        assert "word=•••••••" in said(pilot, "#ask")
        assert "--from-literal=word=••••••••" in said(pilot)
        await fits(pilot)
        # A key has no part that may be seen.
        await pilot.press("shift+tab", "left", "tab")
        await fill(pilot, "-----BEGIN CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----\nMIIE=hunter2==\n")
        assert focus(pilot) == "key"
        assert not re.search("MIIE|hunter|PRIVATE", screen_text(pilot))
        await fits(pilot)
        await pilot.press("shift+tab", "shift+tab", "left")
        await fill(pilot, "", "", "me", "hunter2")
        assert focus(pilot) == "password"
        assert "hunter" not in screen_text(pilot)
        await press(pilot, "shift+tab", "shift+tab", "shift+tab", "left")
        assert "word=•••••••" in said(pilot, "#ask")
        await done(world, pilot, "ctrl+s")
        assert live(world, "secrets", "lesson", "door")["data"] == {"word": "aHVudGVyMg=="}
        await browse(pilot, "secrets lesson")
        await pilot.press("colon", *"journal", "enter")
        await shows(pilot, "Create secret")
        assert "hunter" not in screen_text(pilot)
        assert "aHVu" not in screen_text(pilot)


async def test_forms_of_workloads(world: World) -> None:
    """Image, resources, environment, pause, restart, resume, history and undoing a rollout, one after the other."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "mailer")

        def template() -> dict[str, Any]:
            found: dict[str, Any] = live(world, DEPLOYMENTS, "shop", "mailer")["spec"]["template"]
            return found

        def container() -> dict[str, Any]:
            found: dict[str, Any] = template()["spec"]["containers"][0]
            return found

        await menu(pilot, "p")
        await done(world, pilot, "enter")
        assert live(world, DEPLOYMENTS, "shop", "mailer")["spec"]["paused"] is True
        await press(pilot, "i", "end", *"-rc1")
        assert "0.4.1-rc1" in said(pilot)
        assert "paused" in said(pilot)
        await fits(pilot)
        await done(world, pilot, "enter")
        assert container()["image"].endswith(":0.4.1-rc1")
        await menu(pilot, "m")
        await fill(pilot, "", "96Mi")
        assert "requests" in said(pilot)
        await done(world, pilot, "enter")
        assert container()["resources"]["requests"]["memory"] == "96Mi"
        await menu(pilot, "v")
        await fill(pilot, "A=1\nB=2")
        assert "$ kubectl --context demo -n shop set env deployments mailer -c mailer A=1 B=2" in said(pilot)
        await fits(pilot)
        await done(world, pilot, "ctrl+s")
        assert [one["name"] for one in container()["env"]] == ["A", "B"]
        await press(pilot, "r")
        # kubectl refuses to restart what is paused.
        assert "can't restart paused deployment" in said(pilot)
        await pilot.press("escape")
        await menu(pilot, "u")
        assert "successfully rolled out" in await done(world, pilot, "enter")
        await press(pilot, "r")
        assert "restartedAt" in said(pilot)
        assert "successfully rolled out" in await done(world, pilot, "enter")
        await menu(pilot, "h")
        assert list(buttons(pilot)) == ["Close"]
        assert "restartedAt" in said(pilot)
        await press(pilot, "right")
        assert "image: " in said(pilot)
        await fits(pilot)
        await pilot.press("escape")
        await menu(pilot, "b")
        await press(pilot, "right")
        assert "‹ 1 mailer:0.4.1 " in said(pilot, "#ask")
        assert "--to-revision=1" in said(pilot)
        await fits(pilot)
        assert "successfully rolled out" in await done(world, pilot, "ctrl+s")
        assert container()["image"].endswith(":0.4.1")


async def test_forms_of_nodes(world: World) -> None:
    """Cordon, taint, drain by name with a line for each pod, uncordon."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_NODES, "", "worker-0")
        await menu(pilot, "c")
        assert "spec.unschedulable true" in said(pilot)
        await done(world, pilot, "enter")
        assert live(world, "nodes", "", "worker-0")["spec"]["unschedulable"] is True
        await menu(pilot, "t")
        await fill(pilot, "only=tests:NoSchedul")
        await pilot.press("ctrl+s")
        assert "invalid taint effect: NoSchedul" in said(pilot, "#ask")
        await press(pilot, "e")
        await fits(pilot)
        await done(world, pilot, "ctrl+s")
        taints = live(world, "nodes", "", "worker-0")["spec"]["taints"]
        assert {"key": "only", "value": "tests", "effect": "NoSchedule"} in taints
        await menu(pilot, "D")
        assert "Type worker-0 to go on:" in screen_text(pilot)
        assert "Stays: its DaemonSet would make it again." in said(pilot)
        assert "Nothing would change" not in said(pilot)
        await fits(pilot)
        await pilot.press("pagedown")
        before = said(pilot)
        await pilot.press("ctrl+s")
        assert focus(pilot) == "Input"
        await pilot.press(*"worker-0", "enter")
        await to_its_end(world, pilot)
        assert before != said(pilot)
        await fits(pilot)
        evicted = [path for path in writes(world) if path.endswith("/eviction")]
        assert evicted
        await pilot.press("escape")
        await menu(pilot, "u")
        await done(world, pilot, "enter")
        assert "unschedulable" not in live(world, "nodes", "", "worker-0")["spec"]


async def test_forms_of_metadata_pods_and_jobs(world: World) -> None:
    """Label, annotate, evict, run now, suspend and resume."""
    async with world.open(size=SMALL) as pilot:
        pod = next(one["metadata"]["name"] for one in world.cluster.storage.list("pods", "shop"))
        await choose(pilot, GVR_PODS, "shop", pod)
        await menu(pilot, "l")
        await fill(pilot, "tier=front")
        assert "metadata.labels.tier" in said(pilot)
        await fits(pilot)
        await done(world, pilot, "ctrl+s")
        assert live(world, "pods", "shop", pod)["metadata"]["labels"]["tier"] == "front"
        await menu(pilot, "l")
        await fill(pilot, "tier=back")
        assert "'tier' already has a value (front), and --overwrite is false" in said(pilot)
        await press(pilot, "tab", "space")
        assert '"front" → "back"' in said(pilot)
        await done(world, pilot, "ctrl+s")
        await menu(pilot, "o")
        await fill(pilot, "note=on call")
        await done(world, pilot, "ctrl+s")
        assert live(world, "pods", "shop", pod)["metadata"]["annotations"]["note"] == "on call"
        await menu(pilot, "e")
        assert focus(pilot) == "Cancel"
        assert "It is made anew by ReplicaSet" in said(pilot)
        await fits(pilot)
        await done(world, pilot, "tab", "enter")
        assert not there(world, "pods", "shop", pod)

        await browse(pilot, "cj shop")
        pilot.app.screen.pane.select(ObjectKey("shop", "nightly"))  # type: ignore[attr-defined]
        await menu(pilot, "j")
        assert "The job counts among the last" in said(pilot)
        await fill(pilot, "tonight")
        await fits(pilot)
        assert "Complete: 1/1 pods succeeded." in await done(world, pilot, "enter")
        assert there(world, "jobs.batch", "shop", "tonight")
        await menu(pilot, "p")
        await done(world, pilot, "enter")
        assert live(world, "cronjobs.batch", "shop", "nightly")["spec"]["suspend"] is True
        await menu(pilot, "u")
        await done(world, pilot, "enter")
        assert not live(world, "cronjobs.batch", "shop", "nightly")["spec"].get("suspend")
