"""Two objects side by side: what differs, what is left out, and what is never shown."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from textual.pilot import Pilot

from ktui.kinds.manifest import LAST_APPLIED
from ktui.kinds.names import GVR_DEPLOYMENTS, ObjectKey
from ktui.kube.errors import ConnectionFailed
from ktui.screens.compare import CompareScreen, Side
from ktui.screens.details import DetailsScreen
from tests.ui.conftest import World, listed, screen_text, shows, shows_not, until
from tests.ui.test_home import pane

HELLO = ObjectKey("lesson", "hello-node")
STORE, CHECKOUT = ObjectKey("shop", "storefront"), ObjectKey("shop", "checkout")


def applied(world: World, value: Any = None, **spec: Any) -> None:
    """Let the deployment have been applied with kubectl: as it is, but for some fields of its spec."""
    found = _stored(world)
    found["metadata"].setdefault("annotations", {}).pop(LAST_APPLIED, None)
    was = {**found, "spec": {**found["spec"], **spec}} if value is None else value
    found["metadata"]["annotations"][LAST_APPLIED] = json.dumps(was, sort_keys=True)
    world.cluster.storage.update("deployments.apps", found)


async def opened(pilot: Pilot[Any], key: ObjectKey = HELLO) -> CompareScreen:
    """The page that `=` opens on a deployment."""
    pane(pilot, GVR_DEPLOYMENTS).select(key)
    await pilot.press("equals_sign")
    return await compared(pilot)


async def compared(pilot: Pilot[Any]) -> CompareScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen), "the page")
    found = pilot.app.screen
    assert isinstance(found, CompareScreen)
    return found


def halves(pilot: Pilot[Any]) -> list[tuple[str, str]]:
    """What stands on both sides of each line."""
    lines = [line.partition(" │") for line in screen_text(pilot).split("\n") if " │" in line]
    return [(left.rstrip(), right[1:].rstrip()) for left, _, right in lines]


async def test_live_against_what_was_applied_last(world: World) -> None:
    """Beside each other, only what differs with what is around it; keys go to all lines, to the next one, and back."""
    async with world.open() as pilot:
        applied(world, replicas=3, paused=True)
        await opened(pilot)
        await shows(pilot, "2 differences")
        assert ("-   replicas: 3", "+   replicas: 1") in halves(pilot)
        assert ("-   paused: true", "") in halves(pilot)
        assert "equal lines" in screen_text(pilot)
        assert "uid" not in screen_text(pilot)
        assert "imagePullPolicy" not in screen_text(pilot)
        await pilot.press("n")
        await shows(pilot, "1 of 2 differences")
        await pilot.press("n")
        await shows(pilot, "2 of 2 differences")
        await pilot.press("N", "N")
        await shows(pilot, "2 of 2 differences")
        await pilot.press("space")
        await shows(pilot, "imagePullPolicy")
        assert "equal lines" not in screen_text(pilot)
        await pilot.press("a")
        await shows(pilot, "equal lines")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, CompareScreen), "the page below")


async def test_below_each_other_where_there_is_no_room(world: World) -> None:
    async with world.open(size=(80, 24)) as pilot:
        applied(world, replicas=3)
        await opened(pilot)
        await shows(pilot, "1 difference")
        lines = [line.rstrip() for line in screen_text(pilot).split("\n")]
        place = lines.index("-   replicas: 3")
        assert lines[place + 1] == "+   replicas: 1"
        await pilot.resize_terminal(160, 45)
        await until(pilot, lambda: ("-   replicas: 3", "+   replicas: 1") in halves(pilot), "both sides")


async def test_status_and_fields_that_were_not_applied_can_be_hidden_or_shown(world: World) -> None:
    async with world.open() as pilot:
        small = {"metadata": {"name": HELLO.name}, "spec": {"replicas": 3}}
        applied(world, {"apiVersion": "apps/v1", "kind": "Deployment", **small})
        await opened(pilot)
        await shows(pilot, "+   strategy:")
        assert "availableReplicas" not in screen_text(pilot)
        await pilot.press("f")
        await shows(pilot, "1 difference")
        assert "strategy:" not in screen_text(pilot)
        await pilot.press("f", "t")
        await shows(pilot, "with status")
        await pilot.press("end")
        await shows(pilot, "availableReplicas")


async def test_two_marked_objects_are_compared_with_each_other(world: World) -> None:
    """And not more than two; of one that is marked, the one under the cursor is meant."""
    async with world.open() as pilot:
        deployments = pane(pilot, GVR_DEPLOYMENTS)
        for key in (STORE, CHECKOUT):
            deployments.select(key)
            await pilot.press("space")
        await pilot.press("equals_sign")
        await compared(pilot)
        await shows(pilot, "two deployments")
        await until(pilot, lambda: any("name: checkout" in left for left, _ in halves(pilot)), "the first")
        assert any("name: storefront" in right for _, right in halves(pilot))
        await pilot.press("escape")
        deployments.select(HELLO)
        await pilot.press("space", "equals_sign")
        await until(pilot, lambda: bool(pilot.app._notifications), "a notification")
        assert next(iter(pilot.app._notifications)).message == "3 are marked, and two can be compared."


async def test_what_was_never_applied_is_said_with_what_to_do(world: World) -> None:
    async with world.open() as pilot:
        await opened(pilot)
        await shows(pilot, "was not applied with kubectl apply")
        await shows(pilot, "Mark two objects")
        assert "reading" not in screen_text(pilot)


async def test_when_reading_fails_what_was_read_before_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world.open() as pilot:
        applied(world, replicas=3)
        await opened(pilot)
        await shows(pilot, "1 difference")

        async def fail(*_: object) -> None:
            raise ConnectionFailed("the cluster", "timed out")

        with monkeypatch.context() as broken:
            broken.setattr("ktui.actions.place.get_object", fail)
            await pilot.press("ctrl+r")
            await shows(pilot, "What is shown was read before.")
            assert ("-   replicas: 3", "+   replicas: 1") in halves(pilot)
        applied(world, replicas=4)
        await pilot.press("ctrl+r")
        await shows(pilot, "-   replicas: 4")
        await shows_not(pilot, "What is shown was read before.")


async def test_hostile_texts_and_long_lines_stay_in_their_place(world: World) -> None:
    """Nothing a terminal would obey, nothing over the other side, and sideways shows the rest."""
    async with world.open(size=(130, 40)) as pilot:
        applied(world, paused="\x1b[31m\u202e" + "界" * 80 + "end")
        await opened(pilot)
        await shows(pilot, "1 difference")
        text = screen_text(pilot)
        assert "paused:" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        # Each line of a side by side page has its border in the same column.
        page = pilot.app.screen._compositor.render_strips()
        columns = {_cells_before(strip, "│") for strip in page if "│" in strip.text}
        assert len(columns) == 1
        assert "end" not in text.split(" │ ")[0]
        for _ in range(20):
            await pilot.press("right")
        await shows(pilot, 'end"')


async def test_long_lines_that_differ_at_their_end_differ(world: World) -> None:
    """What differs is in sight, however long what is before it."""
    async with world.open() as pilot:
        applied(world, paused="x" * 500_000 + "end")
        await opened(pilot)
        await shows(pilot, "1 difference")
        applied(world, {**_stored(world), "metadata": {"annotations": {"note": "y" * 500_000 + " was"}}})
        note = {**_stored(world), "metadata": {**_stored(world)["metadata"]}}
        note["metadata"]["annotations"] = {**note["metadata"]["annotations"], "note": "y" * 500_000 + " is"}
        world.cluster.storage.update("deployments.apps", note)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: any(left.endswith("y was") for left, _ in halves(pilot)), "the end of the left line")
        assert any(right.endswith("y is") for _, right in halves(pilot))


def _stored(world: World) -> dict[str, Any]:
    return copy.deepcopy(dict(world.cluster.storage.get("deployments.apps", *HELLO) or {}))


async def test_values_of_secrets_are_not_shown(world: World) -> None:
    """Only that they differ."""
    async with world.open() as pilot:
        for name, word in (("one", "YWJj"), ("two", "eHl6")):
            meta = {"name": name, "namespace": "lesson"}
            item = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": meta,
                "type": "Opaque",
                "data": {"word": word, "a": "YQ=="},
            }
            world.cluster.storage.create("secrets", item)
        await pilot.press("colon", *"secrets lesson", "enter")
        await shows(pilot, "Secrets")
        await listed(pilot)
        await pilot.press("home", "space", "space", "equals_sign")
        await compared(pilot)
        await shows(pilot, "•••••••• (3 bytes, left)")
        await shows(pilot, "•••••••• (3 bytes, right)")
        assert "YWJj" not in screen_text(pilot)


async def test_the_details_of_an_object_have_the_key_too(world: World) -> None:
    async with world.open() as pilot:
        applied(world, replicas=3)
        pane(pilot, GVR_DEPLOYMENTS).select(HELLO)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, DetailsScreen), "details")
        await pilot.press("equals_sign")
        await shows(pilot, "-   replicas: 3")


def _cells_before(strip: Any, sign: str) -> int:
    cells = 0
    for segment in strip:
        if sign in segment.text:
            from rich.cells import cell_len

            return cells + cell_len(segment.text.partition(sign)[0])
        cells += segment.cell_length
    raise AssertionError(sign)


def _template(world: World) -> dict[str, Any]:
    """The pod template as it was once: of another image, and without a probe."""
    found = _stored(world)
    template: dict[str, Any] = found["spec"]["template"]
    container = template["spec"]["containers"][0]
    container |= {"image": container["image"].replace("2.53", "2.39"), "tty": True}
    container["command"] = ["/agnhost", "serve", "netexec"]
    return template


@pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_compare_looks(world_in_thread: World, snap_compare: Any, size: tuple[int, int]) -> None:
    """Live against what was applied last, at the second difference."""

    async def before(pilot: Pilot[None]) -> None:
        await listed(pilot)
        applied(world_in_thread, replicas=3, template=_template(world_in_thread), paused=True)
        await opened(pilot)
        await shows(pilot, "differences")
        await pilot.press("n", "n")
        await shows(pilot, "2 of")

    assert snap_compare(world_in_thread.app(), terminal_size=size, run_before=before)


async def test_what_is_known_already_is_compared_at_once(world: World) -> None:
    """As the editor compares its text with what is on the server; there is nothing to be read again."""
    async with world.open(size=(80, 24)) as pilot:
        value = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "uid": "1"}, "spec": {"nodeName": "one"}}
        other = {**value, "metadata": {"name": "a", "uid": "2"}}
        pilot.app.push_screen(CompareScreen(Side("yours", value), Side("on the server", other), about="pod a"))
        await shows(pilot, "nothing differs")
        assert "equal lines" in screen_text(pilot)
        await pilot.press("n", "t", "ctrl+r", "space")
        await shows(pilot, "nodeName: one")
        pilot.app.screen.dismiss()
        changed = {**other, "spec": {"nodeName": "two"}}
        pilot.app.push_screen(CompareScreen(Side("yours", value), Side("on the server", changed), about="pod a"))
        await shows(pilot, "1 difference")
        await shows(pilot, "+   nodeName: two")
