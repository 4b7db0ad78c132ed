"""New manifests: from a key and a skeleton, or a file, to the objects on the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from ktui.kinds.names import GVR_DEPLOYMENTS, ObjectKey
from ktui.screens.new_manifest import NewManifestScreen
from ktui.widgets.prompt import Prompt
from tests.ui.conftest import World, shows, shows_not, until
from tests.ui.test_home import pane

SEVERAL = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: pasted, namespace: fresh}
spec:
  selector: {matchLabels: {app: pasted}}
  template:
    metadata: {labels: {app: pasted}}
    spec: {containers: [{name: a, image: "nginx:1"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: fresh}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: lesson}
data: {a: b}
"""


def screen(pilot: Pilot[Any]) -> NewManifestScreen:
    """The page that is seen."""
    found = pilot.app.screen
    assert isinstance(found, NewManifestScreen)
    return found


async def write(pilot: Pilot[Any]) -> NewManifestScreen:
    """Open the page by its keys."""
    pane(pilot, GVR_DEPLOYMENTS).select(ObjectKey("lesson", "hello-node"))
    await pilot.press("n")
    await shows(pilot, "Create from YAML")
    await pilot.press("y")
    await until(pilot, lambda: isinstance(pilot.app.screen, NewManifestScreen), "the editor")
    await until(pilot, lambda: "kind: Deployment" in screen(pilot).editor.text, "a skeleton")
    return screen(pilot)


async def open_file(pilot: Pilot[Any], file: Path) -> None:
    """Open a file in its place."""
    await pilot.press("alt+o")
    await until(pilot, lambda: bool(pilot.app.screen.query(Prompt)), "a line to type in")
    pilot.app.screen.query_one(Prompt).query_one(Input).value = str(file)
    await pilot.press("enter")


async def test_a_file_of_several_objects(world: World, tmp_path: Path) -> None:
    """Each after what it needs; what the server refuses is marked in its document; then all is made, and told."""
    file = tmp_path / "several.yaml"
    file.write_text(SEVERAL.replace("{a: b}", "{a: [b]}"))
    async with world.open() as pilot:
        page = await write(pilot)
        await open_file(pilot, file)
        await until(pilot, lambda: "pasted" in page.editor.text, "the file")
        await pilot.press("ctrl+z")
        assert "my-app" in page.editor.text
        await pilot.press("ctrl+y")
        await until(pilot, lambda: not page.modified, "the file as it is")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: page.editor.cursor_location[0] == SEVERAL.split("\n").index("data: {a: b}"), "there")
        assert page.editor.marks
        page.put(SEVERAL)
        await pilot.press("ctrl+s")
        await shows(pilot, "namespace fresh")
        await shows(pilot, "deployment fresh/pasted")
        await shows(pilot, "configmap lesson/settings")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: world.cluster.storage.get("deployments.apps", "fresh", "pasted") is not None, "made")
        assert world.cluster.storage.get("configmaps", "lesson", "settings") is not None
        await shows(pilot, "Applied")


async def test_a_new_object_of_the_kind_that_is_looked_at(world: World) -> None:
    """A skeleton to begin with; whole manifests are put in; what is left is offered again, unless it has a Secret."""
    async with world.open() as pilot:
        page = await write(pilot)
        await shows(pilot, "create, or change what is there")
        await pilot.press("f5")
        await shows(pilot, "create alone")
        await pilot.press("f2")
        await shows(pilot, "Put in")
        await pilot.press(*"service, a", "enter")
        await until(pilot, lambda: "---\napiVersion: v1\nkind: Service\n" in page.editor.text, "a second document")
        assert page.draft_base() == ""
        await pilot.press("escape")
        await shows(pilot, "Leave, and keep a draft")
        await pilot.press("down", "enter")
        await pilot.press("n", "y")
        await shows(pilot, "There is a draft of a new manifest")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, NewManifestScreen), "the editor")
        page = screen(pilot)
        await until(pilot, lambda: "kind: Service" in page.editor.text, "the draft")
        page.put("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: hidden}\n")
        await until(pilot, lambda: page.draft_base() is None, "no draft of a secret")
        await pilot.press("escape")
        await shows(pilot, "Go on editing")
        await shows_not(pilot, "Leave, and keep a draft")
