"""The editor: from a key to the object on the cluster, beside others who change it, and what is never lost."""

from __future__ import annotations

import base64
import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_DEPLOYMENTS, ObjectKey
from ktui.screens.edit import EditScreen
from ktui.widgets.editor import Editor, spans
from ktui.widgets.palette import Ink
from ktui.widgets.prompt import Prompt
from tests.ui.conftest import World, shows, shows_not, until
from tests.ui.test_home import pane

if TYPE_CHECKING:
    from ktui.app import KtuiApp

SECRETS = generic_kind(GVR("", "v1", "secrets"), "Secret", True)
HELLO = ObjectKey("lesson", "hello-node")


def screen(pilot: Pilot[Any]) -> EditScreen:
    """The editor that is seen."""
    found = pilot.app.screen
    assert isinstance(found, EditScreen)
    return found


def stored(world: World) -> dict[str, Any]:
    """The deployment as the cluster has it."""
    found = world.cluster.storage.get("deployments.apps", *HELLO)
    assert found is not None
    return dict(found)


def changed(world: World, change: dict[str, Any]) -> None:
    """Somebody else changes a part of the deployment."""
    found = copy.deepcopy(stored(world))
    for part, fields in change.items():
        for key, value in fields.items():
            found[part][key] = {**found[part].get(key, {}), **value} if isinstance(value, dict) else value
    world.cluster.storage.update("deployments.apps", found)


async def notifies(pilot: Pilot[Any], text: str) -> None:
    """Wait until something is notified."""
    await until(pilot, lambda: any(text in note.message for note in pilot.app._notifications), repr(text))


async def edit(pilot: Pilot[Any]) -> Editor:
    """Open the editor on the deployment."""
    pane(pilot, GVR_DEPLOYMENTS).select(HELLO)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(pilot.app.screen, EditScreen), "the editor")
    await until(pilot, lambda: "replicas: 1" in screen(pilot).editor.text, "the manifest")
    return screen(pilot).editor


async def open_on(pilot: Pilot[Any], kind: Kind, key: ObjectKey, shown: str) -> Editor:
    """Open the editor on any object."""
    pilot.app.push_screen(EditScreen(cast("KtuiApp", pilot.app).explorer.acts, kind, key))
    await until(pilot, lambda: isinstance(pilot.app.screen, EditScreen), "the editor")
    await until(pilot, lambda: shown in screen(pilot).editor.text, shown)
    return screen(pilot).editor


async def change(pilot: Pilot[Any], before: str, after: str) -> None:
    """Put a text in the place of another, as somebody who types it."""
    editor = screen(pilot).editor
    for row, line in enumerate(editor.text.split("\n")):
        if before in line:
            column = line.index(before)
            editor.replace(after, (row, column), (row, column + len(before)))
            await pilot.pause()
            return
    raise AssertionError(f"{before} is not in the text")


async def test_a_change_is_shown_before_it_is_applied(world: World) -> None:
    """ctrl+s shows the difference and the kubectl line; Enter applies it, and nothing but it."""
    async with world.open() as pilot:
        await edit(pilot)
        await change(pilot, "replicas: 1", "replicas: 2")
        await pilot.press("ctrl+s")
        await shows(pilot, "spec.replicas")
        await shows(pilot, "kubectl --context demo -n lesson patch deployments hello-node")
        await pilot.press("enter")
        await until(pilot, lambda: stored(world)["spec"]["replicas"] == 2, "two replicas")
        await shows(pilot, "Applied")
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, EditScreen), "the page below")


async def test_somebody_else_was_faster_elsewhere(world: World) -> None:
    """What others change in other fields stays, without a question."""
    async with world.open() as pilot:
        await edit(pilot)
        changed(world, {"metadata": {"labels": {"team": "blue"}}})
        await shows(pilot, "changed by somebody else")
        await change(pilot, "replicas: 1", "replicas: 2")
        await pilot.press("ctrl+s")
        await shows(pilot, "spec.replicas")
        await pilot.press("enter")
        await until(pilot, lambda: stored(world)["spec"]["replicas"] == 2, "two replicas")
        assert stored(world)["metadata"]["labels"]["team"] == "blue"


@pytest.mark.parametrize(("keys", "replicas"), [(("enter",), 2), (("down", "enter"), 5)], ids=["mine", "theirs"])
async def test_somebody_else_was_faster_in_the_same_field(world: World, keys: tuple[str, ...], replicas: int) -> None:
    """Both values are shown, and one is chosen."""
    async with world.open() as pilot:
        await edit(pilot)
        changed(world, {"spec": {"replicas": 5}})
        await shows(pilot, "changed by somebody else")
        await change(pilot, "replicas: 1", "replicas: 2")
        await pilot.press("ctrl+s")
        await shows(pilot, "Theirs  5")
        await pilot.press(*keys)
        if replicas == 2:
            await shows(pilot, "Apply deployment")
            await shows(pilot, "spec.replicas")
            await pilot.press("enter")
        else:
            await notifies(pilot, "Nothing was changed.")
        await until(pilot, lambda: stored(world)["spec"]["replicas"] == replicas, str(replicas))


@pytest.mark.parametrize(
    ("line", "indent"),
    [("  replicas: 1", 2), ("      containers:", 8), ("      - name: agnhost", 8), ("apiVersion: apps/v1", 0)],
)
async def test_a_new_line_begins_where_it_belongs(world: World, line: str, indent: int) -> None:
    """Below a field at its depth, below a key deeper, and one step of undo takes it back."""
    async with world.open() as pilot:
        editor = await edit(pilot)
        row = next(row for row, text in enumerate(editor.text.split("\n")) if text == line)
        before = editor.text
        editor.move_cursor((row, len(line)))
        await pilot.press("enter")
        assert editor.cursor_location == (row + 1, indent)
        await pilot.press("ctrl+z")
        assert editor.text == before


async def test_what_may_stand_here_is_offered(world: World) -> None:
    """The only field that begins so is taken; of several, one is chosen; a field is explained where the cursor is."""
    async with world.open() as pilot:
        editor = await edit(pilot)
        row = editor.text.split("\n").index("  replicas: 1")
        editor.move_cursor((row, len("  replicas: 1")))
        await pilot.press("enter", *"minR", "ctrl+@")
        await until(pilot, lambda: editor.document.get_line(row + 1) == "  minReadySeconds: ", "the only one")
        await pilot.press("5")
        row = editor.text.split("\n").index("        imagePullPolicy: IfNotPresent")
        editor.move_cursor((row, len("        imagePullPolicy: IfNotPresent")))
        await pilot.press("enter", *"l", "ctrl+@")
        await shows(pilot, "livenessProbe")
        await pilot.press("down", "enter")
        assert editor.document.get_line(row + 1) == "        livenessProbe:"
        await pilot.press(*"periodSeconds: 5")
        probe = ("spec", "template", "spec", "containers", 0, "livenessProbe")
        await until(pilot, lambda: screen(pilot).path == (*probe, "periodSeconds"), "the field")
        await shows(pilot, "Every how many seconds it is asked")
        await pilot.press("ctrl+l")
        await shows(pilot, "Deployment.spec.template.spec.containers[0].livenessProbe.periodSeconds")
        await pilot.press("left", "left")
        await shows(pilot, "Deployment.spec.template.spec.containers ")
        await pilot.press("enter")
        await shows(pilot, "Deployment.spec.template.spec.containers[0].livenessProbe ")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, EditScreen)


async def test_text_that_cannot_be_read_is_marked(world: World) -> None:
    """The first problem has the cursor, and nothing is sent."""
    async with world.open() as pilot:
        editor = await edit(pilot)
        await change(pilot, "replicas: 1", "replicas: [1")
        await pilot.press("ctrl+s")
        await shows(pilot, "✖ ")
        assert editor.marks
        assert stored(world)["spec"]["replicas"] == 1


async def test_a_refusal_stands_at_its_line(world: World) -> None:
    """What the server says of a field is said where the field stands, and no dialog opens."""
    async with world.open() as pilot:
        editor = await edit(pilot)
        await change(pilot, "imagePullPolicy: IfNotPresent", "imagePullPolicy: Sometimes")
        await pilot.press("ctrl+s")
        await shows(pilot, "Unsupported value")
        assert screen(pilot).editor.marks
        row = editor.cursor_location[0]
        assert "imagePullPolicy" in editor.text.split("\n")[row]


async def test_nothing_typed_is_lost(world: World) -> None:
    """Leaving asks; a draft is offered again, and thrown away when it is applied."""
    async with world.open() as pilot:
        await edit(pilot)
        await change(pilot, "replicas: 1", "replicas: 3")
        await pilot.press("escape")
        await shows(pilot, "Leave, and keep a draft")
        await pilot.press("down", "enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, EditScreen), "the page below")
        await pilot.press("e")
        await shows(pilot, "There is a draft")
        await pilot.press("enter")
        await shows(pilot, "replicas: 3")
        await pilot.press("ctrl+s")
        await shows(pilot, "spec.replicas")
        await pilot.press("enter")
        await until(pilot, lambda: stored(world)["spec"]["replicas"] == 3, "three replicas")
        await shows(pilot, "Applied")
        await pilot.press("enter")
        await pilot.press("e")
        await shows(pilot, "replicas: 3")
        await shows_not(pilot, "There is a draft")


@pytest.mark.parametrize(("user", "read_only"), [("admin", True), ("viewer", False)])
async def test_whoever_may_not_change_it_reads(world: World, user: str, read_only: bool) -> None:
    """The same page, without changes, and why; as the configuration says it, or as the cluster does."""
    async with world.open(user, read_only=read_only) as pilot:
        editor = await edit(pilot)
        await shows(pilot, "read-only")
        assert editor.read_only
        before = editor.text
        await pilot.press("x", "ctrl+s")
        await notifies(pilot, "")
        assert editor.text == before


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("  replicas: 3 # three", [("replicas", Ink.FOCUS), (":", Ink.QUIET), ("3", Ink.KEY), ("# three", Ink.FAINT)]),
        ('- name: "a#b"', [("name", Ink.FOCUS), (":", Ink.QUIET), ('"a#b"', Ink.GOOD)]),
        ("# all of it", [("# all of it", Ink.FAINT)]),
        ("plain text", []),
    ],
)
def test_colours_of_a_line(line: str, wanted: list[tuple[str, Ink]]) -> None:
    """Keys, strings, numbers and comments are told apart."""
    assert [(line[start:end], ink) for start, end, ink in spans(line)] == wanted


async def test_what_is_known_of_an_object(world: World) -> None:
    """Who set each line, beside it; the status, below a fold, as it changes; all keys; and fields that are put in."""
    async with world.open() as pilot:
        editor = await edit(pilot)
        await pilot.press("f4")
        await shows(pilot, "kubectl-create")
        await pilot.press("f4")
        await shows_not(pilot, "kubectl-create")
        await shows(pilot, "▸ status")
        await pilot.press("f12")
        await shows(pilot, "observedGeneration")
        changed(world, {"spec": {"minReadySeconds": 1}})
        world.clock.advance(1)
        await shows(pilot, "observedGeneration: 2")
        await pilot.press("f12")
        await shows_not(pilot, "observedGeneration")
        await pilot.press("f1")
        await shows(pilot, "Who set each line, and when")
        await pilot.press("escape", "ctrl+g", *"spec.template.spec.containers[0].image", "enter")
        await until(pilot, lambda: "image:" in editor.document.get_line(editor.cursor_location[0]), "the image")
        await pilot.press("f2")
        await shows(pilot, "spec.template.spec.containers[0]")
        await pilot.press(*"readiness probe, tcp", "enter")
        await until(pilot, lambda: "        readinessProbe:" in editor.text.split("\n"), "the probe")
        await pilot.press("ctrl+z")
        assert "readinessProbe" not in editor.text


async def test_an_object_that_cannot_be_had_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage is said where the object will be, and it comes by itself."""
    monkeypatch.setattr("ktui.kube.backoff.FIRST", 0.2)
    async with world.open() as pilot:
        world.cluster.server.faults.status(500, times=2, path="/deployments/hello-node")
        pane(pilot, GVR_DEPLOYMENTS).select(HELLO)
        await pilot.press("e")
        await shows(pilot, "ktui keeps trying")
        await until(pilot, lambda: "replicas: 1" in screen(pilot).editor.text, "the manifest")
        await shows_not(pilot, "ktui keeps trying")


async def test_an_outage_when_it_is_applied(world: World) -> None:
    """It is said, no dialog opens, and nothing is lost: the same key tries again."""
    async with world.open() as pilot:
        await edit(pilot)
        await change(pilot, "replicas: 1", "replicas: 2")
        world.cluster.server.faults.status(500, path="/deployments/hello-node", verbs=["patch"])
        await pilot.press("ctrl+s")
        await notifies(pilot, "ry again")
        assert screen(pilot).modified
        await pilot.press("ctrl+s")
        await shows(pilot, "spec.replicas  1 → 2")


async def test_fields_of_others_are_asked_for(world: World) -> None:
    """A server-side apply names the owner; the field is left, or taken over."""
    async with world.open() as pilot:
        await edit(pilot)
        await change(pilot, "replicas: 1", "replicas: 2")
        await pilot.press("f5", "ctrl+s")
        await shows(pilot, "Others own what you changed.")
        await shows(pilot, "spec.replicas: set by kubectl-create")
        await pilot.press("down", "down", "enter")
        await shows(pilot, "--force-conflicts")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: stored(world)["spec"]["replicas"] == 2, "two replicas")
        owners = [(entry["manager"], entry["operation"]) for entry in stored(world)["metadata"]["managedFields"]]
        assert ("ktui", "Apply") in owners


async def test_what_cannot_be_changed_is_created_again(world: World) -> None:
    """The server's no stands at its line; whoever wants it has the object deleted, and created as it was edited."""
    async with world.open() as pilot:
        editor = await edit(pilot)
        before = stored(world)["metadata"]["uid"]
        await pilot.press("ctrl+r", *"app: hello-node", "tab", *"app: other", "alt+a", "escape", "ctrl+s")
        await shows(pilot, "spec.selector cannot be changed.")
        assert "selector" in editor.document.get_line(editor.cursor_location[0])
        await pilot.press("down", "enter")
        await shows(pilot, "Recreate deployment")
        await shows(pilot, "Its replica sets are gone")
        await pilot.press("tab", "enter")

        def new() -> bool:
            found = world.cluster.storage.get("deployments.apps", *HELLO)
            return found is not None and found["metadata"]["uid"] != before

        await until(pilot, new, "another one")
        assert stored(world)["spec"]["selector"]["matchLabels"] == {"app": "other"}


async def test_what_was_deleted_meanwhile(world: World) -> None:
    """It is said; it can be created again, with what was edited."""
    async with world.open() as pilot:
        await edit(pilot)
        await change(pilot, "replicas: 1", "replicas: 0")
        world.cluster.storage.delete("deployments.apps", *HELLO)
        await shows(pilot, "deleted meanwhile")
        await pilot.press("ctrl+s")
        await shows(pilot, "It was deleted meanwhile.")
        await pilot.press("down", "enter")
        await shows(pilot, "─ Create again ─")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: world.cluster.storage.get("deployments.apps", *HELLO) is not None, "it is back")
        assert stored(world)["spec"].get("replicas", 0) == 0


def kept_anywhere(folder: Path, *texts: bytes) -> list[Path]:
    """The files in which one of some texts is."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".kubeconfig"]
    return [path for path in files if any(text in path.read_bytes() for text in texts)]


async def test_the_values_of_a_secret(world: World, tmp_path: Path) -> None:
    """Masked until asked for; edited as they are; and nowhere in a file."""
    secret = ObjectKey("shop", "payment-gateway")
    async with world.open() as pilot:
        editor = await open_on(pilot, SECRETS, secret, "••••")
        await until(pilot, lambda: screen(pilot)._reading is not None, "a reading")
        assert not editor.marks
        await pilot.press("alt+w")
        await notifies(pilot, "The values are masked")
        await pilot.press("alt+v")
        await shows(pilot, "api-key: demo-only")
        await change(pilot, "api-key: demo-only", "api-key: top-secret")
        await pilot.press("alt+v")
        await shows_not(pilot, "top-secret")
        await pilot.press("ctrl+s")
        await shows(pilot, "Apply secret")
        await shows_not(pilot, "top-secret")
        await pilot.press("enter")

        def value() -> str:
            found = world.cluster.storage.get("secrets", *secret)
            assert found is not None
            return base64.b64decode(found["data"]["api-key"]).decode()

        await until(pilot, lambda: value() == "top-secret", "the value")
    assert not kept_anywhere(tmp_path, b"top-secret", b"dG9wLXNlY3JldA")


async def test_leaving_ktui_loses_nothing(world: World, tmp_path: Path) -> None:
    """Quitting asks; what was typed a moment ago is in a draft all the same; and a text can be written to a file."""
    async with world.open() as pilot:
        await edit(pilot)
        await change(pilot, "replicas: 1", "replicas: 4")
        pilot.app.call_later(pilot.app.run_action, "quit")
        await shows(pilot, "The text was changed and not applied.")
        await pilot.press("escape", "alt+w")
        file = tmp_path / "mine.yaml"
        await until(pilot, lambda: bool(pilot.app.screen.query(Prompt)), "a line to type in")
        pilot.app.screen.query_one(Input).value = str(file)
        await pilot.press("enter")
        await until(pilot, file.exists, "the file")
        assert "replicas: 4" in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
        await change(pilot, "replicas: 4", "replicas: 5")
        pilot.app.exit()
    drafts = [path.read_text() for path in (tmp_path / "ktui" / "drafts").glob("*.json")]
    assert ["replicas: 5" in text for text in drafts] == [True]
