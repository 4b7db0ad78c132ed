"""The dialog of an action: what is asked, what would happen, whether it is meant, how it goes, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Input

from ktui.actions.registry import actions_for, creations
from ktui.configuration import Configuration, ContextRules
from ktui.kinds.deployments import DEPLOYMENTS as DEPLOYMENT
from ktui.kinds.names import GVR_DEPLOYMENTS, GVR_NODES, GVR_PODS, GVR_SERVICES, ObjectKey
from ktui.screens.act import ActScreen
from ktui.screens.home import HomeScreen
from ktui.screens.new_manifest import NewManifestScreen
from tests.ui.acting import (  # noqa: F401 - nobody_waits is a fixture
    SMALL,
    WIDE,
    asked,
    browse,
    buttons,
    choose,
    comes_true,
    dialog,
    fill,
    fits,
    focus,
    live,
    make,
    menu,
    nobody_waits,
    pane,
    press,
    said,
    there,
    to_its_end,
    told_aside,
    writes,
)
from tests.ui.conftest import World, screen_text, shows, until

DEPLOYMENTS = "deployments.apps"
SCALE = "/apis/apps/v1/namespaces/{}/deployments/{}/scale"


def replicas(world: World, namespace: str, name: str) -> int:
    """How many replicas a deployment wants."""
    return int(live(world, DEPLOYMENTS, namespace, name)["spec"]["replicas"])


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=str)
async def test_scale_from_key_to_end(world: World, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """s, a number, Enter: what would happen is shown before, how it goes while it goes, and the table stays below."""
    async with world.open(size=size) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "storefront")
        await press(pilot, "s")
        text = screen_text(pilot)
        assert "Scale deployment shop/storefront" in text
        assert "3 replicas wanted, 3 there" in text
        assert "HPA storefront keeps between 3 and 6" in text
        assert "Nothing would change." in text
        assert focus(pilot) == "replicas"
        await press(pilot, "9")
        text = screen_text(pilot)
        assert "spec.replicas  3 → 9" in text
        assert "▲ HPA storefront keeps between 3 and 6, and will bring it back to 6." in text
        assert "$ kubectl --context demo -n shop scale deployments storefront --replicas=9" in text
        await press(pilot, "backspace", "5")
        await fits(pilot)
        copied: list[str] = []
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        await pilot.press("ctrl+y")
        assert copied == ["kubectl --context demo -n shop scale deployments storefront --replicas=5"]
        assert not writes(world)
        await pilot.press("enter")
        await shows(pilot, "of 5 replicas ready")
        assert focus(pilot) == "Leave running"
        assert "All 5 replicas are ready." in await to_its_end(world, pilot)
        assert writes(world) == {f"patch {SCALE.format('shop', 'storefront')}": 1}
        await fits(pilot)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, HomeScreen)
        assert pane(pilot, GVR_DEPLOYMENTS).row is not None


async def test_scaling_to_zero_is_confirmed(world: World) -> None:
    """To zero: the consequences are said, Enter goes to Cancel, Enter again changes nothing; Tab and Enter do it."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await press(pilot, "s", "0")
        text = screen_text(pilot)
        assert "spec.replicas  2 → 0" in text
        assert "▲ All its 2 pods go away." in text
        assert "▲ service cart loses its last endpoints: nothing answers there." in text
        await pilot.press("enter")
        assert focus(pilot) == "Cancel"
        await fits(pilot)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, HomeScreen)
        assert not writes(world)
        await press(pilot, "s", "0")
        await pilot.press("enter", "tab", "enter")
        assert "No replicas are left." in await to_its_end(world, pilot)
        assert replicas(world, "shop", "cart") == 0


async def test_several_at_once(world: World) -> None:
    """Marked objects are asked about once, each is said and done, and the marks go; one that a filter hides is told."""
    async with world.open() as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart", "mailer", "checkout")
        await pilot.press("slash", *"mailer", "enter")
        await press(pilot, "s")
        text = screen_text(pilot)
        assert "Scale 3 deployments" in text
        assert "▲ 2 of these are hidden by the filter." in text
        assert "shop/cart: 2 replicas wanted, 2 there" in text
        # They differ, so no number stands there at first.
        await press(pilot, "3")
        text = screen_text(pilot)
        assert text.count("spec.replicas  ") == 2
        assert "1 of 3 would stay as they are." in text
        await fits(pilot)
        await pilot.press("enter")
        text = await to_its_end(world, pilot)
        assert "3 of 3 done" in text
        assert [replicas(world, "shop", name) for name in ("cart", "mailer", "checkout")] == [3, 3, 3]
        assert sum(writes(world).values()) == 2
        await pilot.press("escape")
        assert not pane(pilot, GVR_DEPLOYMENTS).table.model.marked
        # One confirmation for several pods, too, and a line for each.
        names = [pod["metadata"]["name"] for pod in _pods(world, "cart")][:2]
        await choose(pilot, GVR_PODS, "shop", *names)
        await press(pilot, "ctrl+d")
        assert "Delete 2 pods" in screen_text(pilot)
        assert said(pilot).count("$ kubectl --context demo -n shop delete pods") == 2
        await pilot.press("tab", "enter")
        assert "2 of 2 done" in await to_its_end(world, pilot)
        assert not any(there(world, "pods", "shop", name) for name in names)


async def test_partial_failure_keeps_what_was_typed(world: World) -> None:
    """What fails says why in the server's words, the others are done; Try again has what was typed, for the rest."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart", "mailer")
        await press(pilot, "s", "4")
        world.cluster.server.faults.deny("no \x1b[31m[red]Fridays[/]\u202e", path="mailer/scale")
        await pilot.press("enter")
        text = await to_its_end(world, pilot)
        assert "1 of 2 done" in text
        assert "✖ deployment shop/mailer  failed" in text
        assert 'admission webhook "policy.example.com" denied the request: no ␛[31m[red]Fridays[/]�.' in said(pilot)
        assert list(buttons(pilot)) == ["Close", "Try again"]
        await fits(pilot)
        world.cluster.server.faults.clear()
        await press(pilot, "right", "enter")
        assert dialog(pilot).query_one("FormView Input", Input).value == "4"
        assert focus(pilot) == "replicas"
        assert "spec.replicas  1 → 4" in screen_text(pilot)
        await pilot.press("enter")
        assert "All 4 replicas are ready." in await to_its_end(world, pilot)
        assert replicas(world, "shop", "mailer") == 4


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=str)
async def test_deleting_is_confirmed(world: World, size: tuple[int, int]) -> None:
    """ctrl+d has the keyboard on Cancel: Enter leaves everything; Tab and Enter delete, and the end is followed."""
    async with world.open(size=size) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "storefront")
        await press(pilot, "ctrl+d")
        text = screen_text(pilot)
        assert focus(pilot) == "Cancel"
        assert "▲ 1 replica set and 3 pods go with it." in text
        assert "▲ Service storefront loses all its 3 endpoints: nothing answers there." in text
        assert "$ kubectl --context demo -n shop delete deployments storefront" in text
        await fits(pilot)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, HomeScreen)
        assert not writes(world)
        await press(pilot, "ctrl+d")
        # What it owns stays with `orphan`: chosen by an arrow, said again, and then meant.
        await press(pilot, "up", "left")
        assert focus(pilot) == "propagation"
        assert "‹ orphan ›" in screen_text(pilot)
        assert "--cascade=orphan" in screen_text(pilot)
        await press(pilot, "right")
        assert "‹ background ›" in screen_text(pilot)
        await pilot.press("ctrl+s")
        assert focus(pilot) == "Cancel"
        await pilot.press("tab", "enter")
        await to_its_end(world, pilot)
        assert not there(world, DEPLOYMENTS, "shop", "storefront")
        await comes_true(world, pilot, lambda: not _pods(world, "storefront"), "no pods")


def _pods(world: World, app: str) -> list[dict[str, Any]]:
    return [
        pod
        for pod in world.cluster.storage.list("pods", "shop")
        if (pod["metadata"].get("labels") or {}).get("app") == app
    ]


async def test_what_is_confirmed_was_said_before(world: World) -> None:
    """The button that deletes works once the consequences are known: nobody agrees to what was not said."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        world.cluster.server.faults.hang()
        await pilot.press("ctrl+d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ActScreen), "a dialog")
        await shows(pilot, "Reading …")
        assert buttons(pilot)["Delete"].disabled
        world.cluster.server.faults.release()
        await asked(pilot)
        assert not buttons(pilot)["Delete"].disabled
        dialog(pilot)._checked = False
        dialog(pilot)._tell()
        await pilot.press("tab", "enter")
        assert not writes(world)


async def test_a_namespace_goes_by_its_name(world: World) -> None:
    """What holds so much is deleted when its name was typed; anything else does nothing, and Enter on Cancel leaves."""
    async with world.open(size=SMALL) as pilot:
        await browse(pilot, "ns")
        pilot.app.screen.pane.select(ObjectKey("", "lesson"))  # type: ignore[attr-defined]
        await press(pilot, "ctrl+d")
        assert "Type lesson to go on:" in screen_text(pilot)
        assert focus(pilot) == "Cancel"
        assert buttons(pilot)["Delete"].disabled
        await fits(pilot)
        await pilot.press("up", *"lessons", "enter")
        assert dialog(pilot)._going is None
        assert buttons(pilot)["Delete"].disabled
        await pilot.press("backspace")
        assert not buttons(pilot)["Delete"].disabled
        await pilot.press("enter")
        await to_its_end(world, pilot)
        assert not there(world, "namespaces", "", "lesson")
        assert writes(world) == {"delete /api/v1/namespaces/lesson": 1}


async def test_escape_changes_nothing(world: World) -> None:
    """Esc in a form that is filled in writes nothing, and the table is as it was."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        for keys in (("s", "7"), ("i", "x"), ("x", "y"), ("r",), ("ctrl+d",)):
            await press(pilot, *keys)
            await pilot.press("escape")
            assert isinstance(pilot.app.screen, HomeScreen)
        assert not writes(world)
        row = pane(pilot, GVR_DEPLOYMENTS).row
        assert row is not None
        assert row.key == ObjectKey("shop", "cart")
        # Nodes are deleted by their names only.
        await choose(pilot, GVR_NODES, "", "worker-3")
        await press(pilot, "ctrl+d")
        assert "Type worker-3 to go on:" in screen_text(pilot)
        await pilot.press("tab", "enter")
        assert not writes(world)


async def test_a_refusal_is_shown_where_it_was_asked(world: World) -> None:
    """What a dry run refuses stands in the dialog in the server's words, with what was typed; another try may pass."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "lesson", "hello-node")
        world.cluster.server.faults.deny("three at most", path="hello-node/scale")
        await press(pilot, "s", "9")
        assert '✖ admission webhook "policy.example.com" denied the request: three at most.' in said(pilot)
        assert buttons(pilot)["Scale"].disabled
        await pilot.press("enter")
        assert not writes(world)
        world.cluster.server.faults.clear()
        await pilot.press("up")
        assert dialog(pilot).query_one("FormView Input", Input).value == "9"
        await press(pilot, "3")
        assert "spec.replicas  1 → 3" in screen_text(pilot)
        assert "three at most" not in screen_text(pilot)
        assert not buttons(pilot)["Scale"].disabled
        # 422, by the server's own rules: the field that it names stands there, and what was typed.
        await pilot.press("escape")
        await menu(pilot, "m")
        await press(pilot, *"2", "tab", "tab", "1")
        assert "must be less than or equal to cpu limit" in said(pilot)
        assert buttons(pilot)["Set resources"].disabled
        await fits(pilot)


async def test_a_write_that_is_refused_keeps_what_was_typed(world: World) -> None:
    """Refused by the write itself: the words, and Try again brings the form back as it was filled in."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await press(pilot, "x", "end", *"-public", "tab", "right", "right")
        assert "‹ LoadBalancer ›" in screen_text(pilot)
        world.cluster.server.faults.deny("not in this office", path="namespaces/shop/services", times=1)
        await pilot.press("ctrl+s")
        await to_its_end(world, pilot)
        assert "denied the request: not in this office." in said(pilot)
        await press(pilot, "tab", "enter")
        assert "‹ LoadBalancer ›" in said(pilot, "#ask")
        assert "name: cart-public" in said(pilot)
        assert focus(pilot) == "name"
        await fits(pilot)
        await pilot.press("enter")
        await to_its_end(world, pilot)
        assert live(world, "services", "shop", "cart-public")["spec"]["type"] == "LoadBalancer"


async def test_a_conflict_is_read_again(world: World) -> None:
    """409: Read again reads what is there now, and keeps what was typed."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await press(pilot, "s", "4")
        world.cluster.server.faults.status(409, path="cart/scale")
        await pilot.press("enter")
        await to_its_end(world, pilot)
        assert list(buttons(pilot)) == ["Close", "Read again"]
        changed = live(world, DEPLOYMENTS, "shop", "cart")
        world.cluster.storage.update(DEPLOYMENTS, {**changed, "spec": {**changed["spec"], "replicas": 3}})
        await press(pilot, "right", "enter")
        text = screen_text(pilot)
        assert "3 replicas wanted" in text
        assert "spec.replicas  3 → 4" in text
        await pilot.press("enter")
        assert "All 4 replicas are ready." in await to_its_end(world, pilot)


async def test_what_runs_goes_on_when_it_is_left(world: World) -> None:
    """Esc while it goes on: it goes on, says so, and tells its end; ctrl+x ends the following."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await press(pilot, "s", "4")
        await pilot.press("enter")
        await shows(pilot, "of 4 replicas ready")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, HomeScreen)
        assert "Scale deployment shop/cart It goes on; its end will be told." in told_aside(pilot)
        await comes_true(world, pilot, lambda: "Scale deployment shop/cart Scaled" in told_aside(pilot), "its end")
        assert replicas(world, "shop", "cart") == 4
        # ctrl+x only ends the following; what was done stays.
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "mailer")
        await press(pilot, "s", "4")
        await pilot.press("enter")
        await shows(pilot, "of 4 replicas ready")
        assert "ctrl+x stops what has not begun   esc leaves" in screen_text(pilot)
        await pilot.press("ctrl+x")
        await shows(pilot, "No longer followed.")
        await fits(pilot)
        assert replicas(world, "shop", "mailer") == 4


async def test_read_only_refuses_everything_that_changes(world: World) -> None:
    """With --read-only every change says so and cannot be done, what is made from YAML too; looking still works."""
    async with world.open(read_only=True, size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        for key, actions in (("a", actions_for(DEPLOYMENT)), ("n", creations())):
            await pilot.press(key)
            await shows(pilot, "ktui is read-only")
            changing = [action for action in actions if action.access or action.creates]
            assert screen_text(pilot).count("ktui is read-only: it changes nothing. St…") == len(changing)
            await pilot.press("escape")
        await press(pilot, "s", "4")
        assert "ktui is read-only: it changes nothing." in said(pilot)
        assert buttons(pilot)["Scale"].disabled
        await pilot.press("enter", "escape")
        await pilot.press("n", "y")
        await shows(pilot, "read-only")
        page = pilot.app.screen
        assert isinstance(page, NewManifestScreen)
        page.put("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sneaked-in}\n")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any("it changes nothing" in note.message for note in pilot.app._notifications), "no")
        page.settle()
        await pilot.press("escape")
        await menu(pilot, "t")
        assert "successfully rolled out" in await to_its_end(world, pilot)
        assert not writes(world)


async def test_a_protected_context_wants_the_name(world: World) -> None:
    """`protected: true`: every change of what is there is confirmed by its name; looking, and making, are not."""
    configuration = Configuration(contexts={"demo": ContextRules(protected=True)})
    async with world.open(size=SMALL, configuration=configuration) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await press(pilot, "s")
        assert "Type cart to go on:" in screen_text(pilot)
        await fits(pilot)
        await press(pilot, "3")
        assert "spec.replicas  2 → 3" in screen_text(pilot)
        await pilot.press("enter")
        assert focus(pilot) == "Input"
        await pilot.press(*"cart", "enter")
        assert "All 3 replicas are ready." in await to_its_end(world, pilot)
        await pilot.press("escape")
        await menu(pilot, "t")
        assert "successfully rolled out" in await to_its_end(world, pilot)
        await pilot.press("escape")
        await make(pilot, "n")
        await press(pilot, *"quiet")
        assert "to go on" not in screen_text(pilot)


async def test_hostile_text_is_text(world: World) -> None:
    """Annotations, variables and refusals with escape sequences, markup and directions are shown as they are."""
    evil = "\x1b]0;owned\x07[red]red[/red]\u202egnp"
    shown = "␛]0;owned␇[red]red[/red]�gnp"
    storage = world.cluster.storage
    item = live(world, DEPLOYMENTS, "shop", "cart")
    template = item["spec"]["template"]
    first = {**template["spec"]["containers"][0], "env": [{"name": "EVIL", "value": evil}]}
    spec = {**item["spec"], "template": {**template, "spec": {**template["spec"], "containers": [first]}}}
    marks = {**(item["metadata"].get("annotations") or {}), "note": evil, "meta.helm.sh/release-name": evil}
    storage.update(DEPLOYMENTS, {**item, "metadata": {**item["metadata"], "annotations": marks}, "spec": spec})
    async with world.open() as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await menu(pilot, "o")
        assert f"note={shown}" in screen_text(pilot)
        await press(pilot, *"note-")
        assert shown in screen_text(pilot)
        await pilot.press("escape")
        await menu(pilot, "v")
        assert f"EVIL={shown[:-3]}" in said(pilot, "#ask")
        await press(pilot, "end", "x")
        assert f"EVIL={shown}x" in said(pilot)
        await pilot.press("escape")
        world.cluster.server.faults.deny(evil, path="cart/scale")
        await press(pilot, "s", "5")
        assert shown in screen_text(pilot)
        for line in screen_text(pilot).splitlines():
            assert line.isprintable(), line


async def test_what_is_gone_or_another_one_is_not_acted_on(world: World) -> None:
    """An object that went, or whose name another one has, since it was chosen, is refused before anything is asked."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_SERVICES, "shop", "cart")
        world.cluster.server.faults.hang()
        await pilot.press("ctrl+d")
        await shows(pilot, "Reading …")
        item = live(world, "services", "shop", "cart")
        world.cluster.storage.delete("services", "shop", "cart")
        world.cluster.storage.create("services", {**item, "metadata": {**item["metadata"], "uid": ""}})
        world.cluster.server.faults.release()
        await asked(pilot)
        assert "service shop/cart is not the one you chose: it was deleted, and another one has its name." in said(
            pilot
        )
        assert buttons(pilot)["Delete"].disabled
        await fits(pilot)
