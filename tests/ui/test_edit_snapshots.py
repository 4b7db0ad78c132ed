"""What the editor looks like, at both sizes. `make snapshots` accepts a new look; look at it first."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from ktui.demo.run import Cluster
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.names import ObjectKey
from ktui.screens.edit import EditScreen
from ktui.widgets.editor import Editor
from tests.ui.conftest import Size, World, at_both_sizes, shows, until
from tests.ui.test_edit import change, open_on, screen

STOREFRONT = ObjectKey("shop", "storefront")


async def edit(pilot: Pilot[None]) -> Editor:
    """Open the editor on a deployment, and wait until it knows what it can."""
    editor = await open_on(pilot, DEPLOYMENTS, STOREFRONT, "replicas:")
    await read(pilot)
    return editor


async def read(pilot: Pilot[None]) -> None:
    """Wait until the text has been read as it stands, and all is said of it."""
    page = screen(pilot)
    before = page._reading
    page.think(0)

    def thought() -> bool:
        thinking = any(worker.group == "think" and not worker.is_finished for worker in page.workers)
        return page._reading is not before and not thinking

    await until(pilot, thought, "a reading")


@at_both_sizes
def test_completion(looks: Callable[..., None], size: Size) -> None:
    """What may stand in a container, with types and words; and what is known of the field."""

    async def keys(pilot: Pilot[None]) -> None:
        editor = await edit(pilot)
        row = next(row for row, line in enumerate(editor.text.split("\n")) if "imagePullPolicy" in line)
        editor.go_to_line(row, len(editor.document.get_line(row)))
        await pilot.press("enter", *"li", "ctrl+@")
        await shows(pilot, "What is done after")
        await read(pilot)

    looks(size, keys)


@at_both_sizes
def test_problems(looks: Callable[..., None], size: Size) -> None:
    """Unknown fields, wrong types, what is referred to and is not there: each at its line, one of them in words."""

    async def keys(pilot: Pilot[None]) -> None:
        editor = await edit(pilot)
        await change(pilot, "imagePullPolicy: IfNotPresent", "imagePullPolice: IfNotPresent")
        await change(pilot, "dnsPolicy: ClusterFirst", "dnsPolicy: ClusterFirst\n      serviceAccountName: nobody")
        await change(pilot, "type: RollingUpdate", "type: Rolling")
        await read(pilot)
        editor.move_cursor((0, 0))
        await pilot.press("f8")

    looks(size, keys)


def scale(cluster: Cluster, replicas: int) -> None:
    """Somebody else scales the deployment."""
    found = cluster.storage.get("deployments.apps", *STOREFRONT)
    assert found is not None
    cluster.storage.update("deployments.apps", {**found, "spec": {**found["spec"], "replicas": replicas}})


@at_both_sizes
def test_conflict(looks: Callable[..., None], size: Size, world_in_thread: World) -> None:
    """Both values of a field, and who set the other one."""

    async def keys(pilot: Pilot[None]) -> None:
        await edit(pilot)
        world_in_thread.do(lambda cluster: scale(cluster, 6))
        await shows(pilot, "changed by somebody else")
        await change(pilot, "replicas: 3", "replicas: 4")
        await pilot.press("ctrl+s")
        await shows(pilot, "Theirs")

    looks(size, keys)


@at_both_sizes
def test_review(looks: Callable[..., None], size: Size) -> None:
    """What changes, what the server adds, what follows, and the kubectl line."""

    async def keys(pilot: Pilot[None]) -> None:
        editor = await edit(pilot)
        row = next(row for row, line in enumerate(editor.text.split("\n")) if "imagePullPolicy" in line)
        editor.go_to_line(row, len(editor.document.get_line(row)))
        await pilot.press("f2", *"startup probe, http", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditScreen) and "startupProbe" in editor.text)
        await pilot.press("ctrl+s")
        await shows(pilot, "Added by the server")

    looks(size, keys)


@at_both_sizes
def test_who_set_what(looks: Callable[..., None], size: Size) -> None:
    """Beside each line; the status below, unfolded."""

    async def keys(pilot: Pilot[None]) -> None:
        await edit(pilot)
        await pilot.press("f4", "f12")
        await shows(pilot, "kubectl-client-side")
        await read(pilot)

    looks(size, keys)
