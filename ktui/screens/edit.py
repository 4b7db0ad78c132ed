"""EditScreen: the manifest of an object, to be changed without fear."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from ktui.actions.action import Target
from ktui.actions.difference import Change, difference, lines
from ktui.actions.difference import Path as FieldPath
from ktui.actions.drafts import Draft, DraftFile, DraftNotKept
from ktui.actions.edit import Conflicts, check_identity, edit_action, editable
from ktui.actions.undertaking import Stage, Undertaking
from ktui.kinds.kind import Kind
from ktui.kinds.manifest import is_secret
from ktui.kinds.names import ObjectKey
from ktui.kinds.text import clean
from ktui.kube.errors import ApiError, KtuiError
from ktui.manifests.check import check
from ktui.manifests.cleaning import clean as cleaned
from ktui.manifests.cleaning import restored
from ktui.manifests.lists import GUESSED, Lists
from ktui.manifests.merge import Conflict, Key, merge
from ktui.manifests.problems import Position, Problem, spell
from ktui.manifests.reading import Reading, read
from ktui.manifests.schema import Schema, complete, describe
from ktui.manifests.typed_at import typed_at
from ktui.manifests.writing import write
from ktui.screens.questions import Question
from ktui.widgets.bar import Bar, Part
from ktui.widgets.editor import Editor, Mark
from ktui.widgets.failures import FailuresSaid
from ktui.widgets.key_bar import KeyBar
from ktui.widgets.palette import Ink
from ktui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from ktui.acts import Acts

_PARTS = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")

THINKS = 0.35
"""Seconds for which nothing is typed before the text is read."""

LONGEST_SIDE = 60
"""Characters of a value that is shown to be chosen."""

DRAFT_AFTER = 0.5
"""Seconds after a change in which the draft is written."""


class EditScreen(FailuresSaid, Screen[None]):
    """An editor for one object.

    Args:
        acts: the cluster, and what applies changes.
        kind: the object's kind.
        key: its namespace and name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "apply", "Apply", priority=True, tooltip="Check, show what would change, and apply it."),
        Binding(
            "ctrl+@,ctrl+space",
            "complete",
            "Complete",
            key_display="ctrl+space",
            priority=True,
            tooltip="What may stand here.",
        ),
        Binding("f8", "problem(1)", "Next problem", tooltip="Go to the next problem."),
        Binding("ctrl+f", "search", "Find", priority=True, tooltip="Find a text; F3 finds the next."),
        Binding("f3", "search_next", "Next", show=False),
        Binding("ctrl+g", "go", "Go to", priority=True, tooltip="Go to a field, such as spec.replicas, or a line."),
        Binding("ctrl+o", "external", "$EDITOR", priority=True, tooltip="Edit it in your own editor."),
        Binding("escape", "leave", "Back", priority=True),
    ]
    DEFAULT_CSS = """
    EditScreen {
        background: $background; layout: vertical;
        & > #completions {
            display: none; height: auto; max-height: 9; border: none; background: $bar; padding: 0 1;
            & > .option-list--option-highlighted { background: $row-cursor; color: $bright; }
        }
        & > #completions.-shown { display: block; }
    }
    """

    def __init__(self, acts: Acts, kind: Kind, key: ObjectKey) -> None:
        super().__init__()
        self._acts = acts
        self._kind = kind
        self._key = key
        self._base: dict[str, Any] | None = None
        self._live: dict[str, Any] | None = None
        self._gone = False
        self._schema: Schema | None = None
        self._lists: Lists = GUESSED
        self._reading: Reading | None = None
        self._problems: list[Problem] = []
        self._refused: list[Problem] = []
        self._choices: dict[Key, str] = {}
        self._original = ""
        self._trouble: KtuiError | None = None
        self._searched = ""
        self._draft: DraftFile | None = None
        self._undertaking: Undertaking | None = None
        self._words: Sequence[str] = ()

    @property
    def editor(self) -> Editor:
        """The text."""
        return self.query_one(Editor)

    def compose(self) -> ComposeResult:
        """Title, text, what may stand here, what is known of the place, keys."""
        yield Bar(id="title")
        yield Editor(read_only=True)
        yield OptionList(id="completions", markup=False, compact=True)
        yield Bar(id="place")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Read the object."""
        self.query_one("#completions").can_focus = False
        self.editor.focus()
        self._tell()
        self._open()

    # -- reading -----------------------------------------------------------------------------

    @work(group="open", exit_on_error=False)
    async def _open(self) -> None:
        place = self._acts.place
        try:
            item = await place.get(self._kind.gvr, self._key)
        except KtuiError as error:
            self._trouble = error
            self._tell()
            return
        identity = place.client.identity
        self._base = self._live = item
        self._draft = DraftFile(identity.server, identity.context, self._kind.gvr, self._key)
        text = await asyncio.to_thread(lambda: write(cleaned(item).value))
        self._original = text
        self.editor.load_text(text)
        self.editor.read_only = self._acts.read_only
        self._follow()
        self._learn()
        draft = await asyncio.to_thread(self._draft.read)
        if draft is not None and draft.text != text:
            await self._offer(draft)
        self._think()
        self._tell()

    async def _offer(self, draft: Draft) -> None:
        """Somebody typed this before, and it was never applied."""
        title = f"There is a draft of {self._kind.singular} {clean(str(self._key))} that was not applied."
        answer = await self.app.push_screen_wait(
            Question(title, (("keep", "Go on with it"), ("discard", "Throw it away")))
        )
        if answer == "keep":
            if draft.base:
                self._base = msgspec.json.decode(draft.base)
            self.editor.load_text(draft.text)
        elif answer == "discard" and self._draft is not None:
            await asyncio.to_thread(self._draft.discard)

    @work(group="learn", exit_on_error=False)
    async def _learn(self) -> None:
        """What the server knows of the kind; without it there is less help, and no less safety."""
        gvr = self._kind.gvr
        self._schema = await self._acts.schemas.schema(gvr.group, gvr.version, self._kind.kind)
        if self._schema is not None:
            self._lists = self._schema.lists
            self._think()

    @work(group="follow", exit_on_error=False)
    async def _follow(self) -> None:
        """Watch the object while it is edited."""
        try:
            async for item in self._acts.place.watch(self._kind.gvr, self._key):
                self._gone = item is None
                if item is not None:
                    self._live = item
                self._mark_changes()
                self._tell()
        except KtuiError as error:
            self.notify(f"It is not watched: {error.sentence}", severity="warning", markup=False)

    # -- thinking ----------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self._refused = []
        self._hide_completions()
        self._think()
        self._keep_draft()
        self._tell()

    @on(TextArea.SelectionChanged)
    def _moved(self) -> None:
        self._tell()

    @work(group="think", exclusive=True, exit_on_error=False)
    async def _think(self) -> None:
        await asyncio.sleep(THINKS)
        reading = await asyncio.to_thread(read, self.editor.text)
        problems = list(reading.problems)
        if self._schema is not None and not any(problem.severity == "error" for problem in problems):
            for document in reading.documents:
                problems += await asyncio.to_thread(check, document, self._schema)
        self._reading, self._problems = reading, problems
        self._show_problems()
        self._mark_changes()
        self._tell()

    def _show_problems(self) -> None:
        marks: dict[int, list[Mark]] = {}
        for problem in (*self._problems, *self._refused):
            ink = Ink.FAILED if problem.severity == "error" else Ink.WARNING
            marks.setdefault(problem.line - 1, []).append(Mark(max(0, problem.column - 1), 0, ink))
        self.editor.mark(marks)

    def _mark_changes(self) -> None:
        """A quiet mark at lines that somebody else has changed since."""
        reading, base, live = self._reading, self._base, self._live
        if reading is None or not reading.documents or base is None or live is None or base is live:
            return
        document = reading.documents[0]
        changed = difference(editable(base), editable(live))
        self.editor.mark_changed(document.key(change.path).line - 1 for change in changed)

    @work(group="draft", exclusive=True, exit_on_error=False)
    async def _keep_draft(self) -> None:
        await asyncio.sleep(DRAFT_AFTER)
        await asyncio.to_thread(self._write_draft)

    def _write_draft(self) -> None:
        if self._draft is None or self._base is None or not self.modified:
            return
        base = msgspec.json.encode(self._base).decode()
        try:
            self._draft.write(Draft(self.editor.text, base, self._acts.place.now))
        except DraftNotKept as error:
            self.app.call_later(self.notify, f"{error.sentence} {error.next_step}", severity="warning", markup=False)

    @property
    def modified(self) -> bool:
        """Whether anything was typed that is not applied."""
        return bool(self._original) and self.editor.text != self._original

    # -- words -------------------------------------------------------------------------------

    def _tell(self) -> None:
        if not self.is_attached:
            return
        left = [
            Part(" Edit ", "badge"),
            Part(f"  {self._kind.singular} ", "text"),
            Part(clean(str(self._key)), "strong"),
        ]
        if self._trouble is not None:
            left.append(Part(f"  {self._trouble.sentence} {self._trouble.next_step}", "failed"))
        elif not self._original:
            left.append(Part("  reading …", "dim"))
        if self._acts.read_only:
            left.append(Part("  read-only", "warning"))
        if self.modified:
            left.append(Part("  changed", "key"))
        if self._gone:
            left.append(Part("  deleted meanwhile", "failed"))
        elif self.editor.changed_elsewhere:
            left.append(Part(f"  changed by somebody else in {len(self.editor.changed_elsewhere)} lines", "warning"))
        errors = sum(problem.severity == "error" for problem in (*self._problems, *self._refused))
        warnings = len(self._problems) + len(self._refused) - errors
        right = []
        if errors:
            right.append(Part(f"✖ {errors} ", "failed"))
        if warnings:
            right.append(Part(f"▲ {warnings} ", "warning"))
        row, column = self.editor.cursor_location
        right.append(Part(f"{row + 1}:{column + 1} ", "dim"))
        self.query_one("#title", Bar).show(left, right)
        self.query_one("#place", Bar).show(self._place_words())

    def _place_words(self) -> list[Part]:
        """What is wrong where the cursor is; else what is known of the field."""
        row = self.editor.cursor_location[0]
        for problem in (*self._refused, *self._problems):
            if problem.line - 1 == row:
                style = "failed" if problem.severity == "error" else "warning"
                return [Part(f" {clean(problem.message)}", style)]
        path = self.path
        if not path:
            return [Part(" ")]
        said = [Part(f" {clean(spell(path))}  ", "dim")]
        if self._schema is not None and (known := describe(self._schema, path)) is not None:
            said += [Part(f"{clean(known.type)}  ", "key"), Part(clean(" ".join(known.text.split())), "text")]
        return said

    @property
    def path(self) -> FieldPath:
        """The field where the cursor is, as the text was read last."""
        if self._reading is None:
            return ()
        row = self.editor.cursor_location[0] + 1
        for document in reversed(self._reading.documents):
            if document.line <= row:
                best: FieldPath = ()
                for path, place in document.positions.items():
                    first = (place.key or place.value).line
                    if first <= row <= place.value.end_line and len(path) >= len(best):
                        best = path
                return best
        return ()

    # -- moving ------------------------------------------------------------------------------

    def action_problem(self, by: int) -> None:
        """Go to the next line with a problem."""
        rows = sorted({problem.line - 1 for problem in (*self._problems, *self._refused)})
        if not rows:
            self.notify("No problems.")
            return
        here = self.editor.cursor_location[0]
        row = next((row for row in rows if row > here), rows[0])
        problem = next(p for p in (*self._refused, *self._problems) if p.line - 1 == row)
        self.editor.go_to_line(row, max(0, problem.column - 1))

    def action_search(self) -> None:
        """Type what to look for."""
        self._ask("find", "/", "text to look for; Enter finds it, F3 the next", self._searched)

    def action_go(self) -> None:
        """Type where to go."""
        self._ask("go", ":", "a field, such as spec.template.spec.containers[0].image, or the number of a line", "")

    def _ask(self, name: str, sign: str, hint: str, text: str) -> None:
        if not self.query(Prompt):
            self.app.hold_keys()  # type: ignore[attr-defined]
            self.mount(Prompt(sign, id=name, placeholder=hint, text=text), before="#keys")

    @on(Prompt.Ready)
    def _prompt_ready(self) -> None:
        self.app.release_keys()  # type: ignore[attr-defined]

    @on(Prompt.Done)
    def _prompt_done(self, event: Prompt.Done) -> None:
        event.prompt.remove()
        self.editor.focus()
        if not event.text:
            return
        if event.prompt.id == "find":
            self._searched = event.text
            self.action_search_next()
        else:
            self._go(event.text.strip())

    def action_search_next(self) -> None:
        """Find the next place of the text that was looked for, from the cursor on and then from the top."""
        wanted = self._searched.casefold()
        if not wanted:
            return
        lines = self.editor.text.casefold().split("\n")
        row, column = self.editor.cursor_location
        for offset in range(len(lines) + 1):
            at = (row + offset) % len(lines)
            place = lines[at].find(wanted, column + 1 if offset == 0 else 0)
            if place >= 0:
                self.editor.go_to_line(at, place)
                return
        self.notify(f"{self._searched} is not in the text.", severity="warning", markup=False)

    def _go(self, typed: str) -> None:
        if typed.isdigit():
            self.editor.go_to_line(int(typed) - 1)
            return
        path = field_path(typed)
        for document in self._reading.documents if self._reading is not None else ():
            if path in document.positions:
                position = document.key(path)
                self.editor.go_to_line(position.line - 1, position.column - 1)
                return
        self.notify(f"There is no field {typed}.", severity="warning", markup=False)

    # -- what may stand here -----------------------------------------------------------------

    def action_complete(self) -> None:
        """Offer what may stand where the cursor is."""
        if self._schema is None:
            self.notify("The server's schema is not known, so there is nothing to offer.", severity="warning")
            return
        path, prefix = typed_at(self.editor.document.lines, *self.editor.cursor_location)
        found = complete(self._schema, path, prefix)
        self._words = [each.text for each in found]
        if len(found) == 1:
            self._take(self._words[0])
            return
        options = self.query_one("#completions", OptionList)
        options.clear_options()
        options.add_options(
            [
                Option(
                    f"{each.text}{'  required' if each.required else ''}  {each.type}  {clean(each.documentation[:80])}"
                )
                for each in found[:50]
            ]
        )
        options.set_class(bool(found), "-shown")
        if found:
            options.highlighted = 0
        else:
            self.notify("Nothing known may stand here.")

    def _take(self, word: str) -> None:
        row, column = self.editor.cursor_location
        _, prefix = typed_at(self.editor.document.lines, row, column)
        self.editor.replace(word, (row, column - len(prefix)), (row, column))
        self._hide_completions()

    def _hide_completions(self) -> None:
        self.query_one("#completions").remove_class("-shown")

    @property
    def _completing(self) -> bool:
        return self.query_one("#completions").has_class("-shown")

    async def on_event(self, event: events.Event) -> None:
        """While something is offered, some keys choose from it."""
        if isinstance(event, events.Key) and self._completing:
            options = self.query_one("#completions", OptionList)
            if event.key in ("up", "down"):
                options.action_cursor_down() if event.key == "down" else options.action_cursor_up()
                return
            if event.key in ("enter", "tab"):
                self._take(self._words[options.highlighted or 0])
                return
        await super().on_event(event)

    # -- applying ----------------------------------------------------------------------------

    @work(group="apply", exclusive=True, exit_on_error=False)
    async def action_apply(self) -> None:
        """Check, merge, show what would change, apply."""
        if self._base is None or self._acts.read_only:
            self.notify("ktui is read-only: nothing is applied.", severity="warning")
            return
        reading = await asyncio.to_thread(read, self.editor.text)
        self._reading = reading
        errors = [problem for problem in reading.problems if problem.severity == "error"]
        if errors:
            self._problems = list(reading.problems)
            self._show_problems()
            self.editor.go_to_line(errors[0].line - 1, errors[0].column - 1)
            self._tell()
            return
        if len(reading.documents) != 1 or not isinstance(reading.documents[0].value, dict):
            self.notify("There must be one document: the object that is edited.", severity="warning")
            return
        back = restored(reading.documents[0].value, self._base)
        if back.lost:
            self.notify(
                f"{clean(spell(back.lost[0]))} has dots where a value should be. Type the value.",
                severity="warning",
                markup=False,
            )
            return
        mine = editable(back.value)
        try:
            check_identity(editable(self._base), mine)
        except KtuiError as error:
            self.notify(f"{error.sentence} {error.next_step}", severity="warning", markup=False)
            return
        if not await self._choose(mine):
            return
        action = edit_action(editable(self._base), mine, self._lists, self._choices)
        uid = str(self._base["metadata"].get("uid", ""))
        self._undertaking = self._acts.act(action, [Target(self._kind, self._key, uid)])

    async def _choose(self, mine: dict[str, Any]) -> bool:
        """Ask for each field that both sides changed which value is to stay; whether all was answered."""
        assert self._base is not None
        assert self._live is not None
        merged = merge(editable(self._base), editable(self._live), mine, self._lists, self._choices)
        for conflict in merged.conflicts:
            (was, ours), (_, others) = self._sides(conflict)
            answer = await self.app.push_screen_wait(
                Question(
                    f"{clean(conflict.said)} was changed by somebody else meanwhile.",
                    (("mine", f"Mine    {ours}"), ("theirs", f"Theirs  {others}")),
                    note=f"It was {was}.",
                )
            )
            if answer is None:
                return False
            self._choices[conflict.key] = answer
        return True

    def _sides(self, conflict: Conflict) -> list[tuple[str, str]]:
        """What a field was, and what each side made of it: mine, then theirs. The values of secrets stay masked."""
        secret, sides = self._base is not None and is_secret(self._base), []
        for value in (conflict.mine, conflict.theirs):
            change = Change(conflict.path, conflict.said, conflict.base, value)
            found = lines((change,), secret=secret, longest=LONGEST_SIDE)
            before, after = (
                "; ".join(filter(None, texts)) for texts in zip(*(line[1:] for line in found), strict=True)
            )
            sides.append((clean(before) or "nothing", clean(after) or "nothing"))
        return sides

    @work(group="resumed", exit_on_error=False)
    async def _applied(self, undertaking: Undertaking) -> None:
        work = undertaking.works[0] if undertaking.works else None
        if work is not None and work.stage is Stage.DONE:
            if self._draft is not None:
                await asyncio.to_thread(self._draft.discard)
            self._original = ""
            self.dismiss()
            return
        if isinstance(undertaking.refusal, ApiError):
            self._refused = self._problems_of(undertaking.refusal)
            self._show_problems()
            if self._refused:
                self.editor.go_to_line(self._refused[0].line - 1, self._refused[0].column - 1)
        if work is not None and isinstance(work.error, Conflicts):
            self._choices.clear()
        self._tell()

    def _problems_of(self, error: ApiError) -> list[Problem]:
        """What the server refused, at the lines of the fields that it names."""
        document = self._reading.documents[0] if self._reading and self._reading.documents else None
        found = []
        for cause in error.details.causes:
            path = field_path(cause.field)
            at = document.key(path) if document is not None else Position(1, 1, 1, 1)
            found.append(Problem(at.line, at.column, path, "error", cause.message))
        return found or [Problem(1, 1, (), "error", error.sentence)]

    def on_screen_resume(self) -> None:
        """The dialog was left: it was applied, or there is something to mend."""
        undertaking, self._undertaking = self._undertaking, None
        if undertaking is not None:
            self._applied(undertaking)
        if self.is_mounted:
            self.editor.focus()

    # -- another editor ----------------------------------------------------------------------

    @work(group="external", exclusive=True, exit_on_error=False)
    async def action_external(self) -> None:
        """Edit the text in the person's own editor."""
        command = os.environ.get("KUBE_EDITOR") or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        descriptor, name = tempfile.mkstemp(prefix="ktui-", suffix=".yaml")
        path = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(self.editor.text)
            with self.app.suspend():
                process = await asyncio.create_subprocess_exec(*shlex.split(command), name)
                code = await process.wait()
            text = await asyncio.to_thread(path.read_text, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.notify(f"{command} could not be used: {error}.", severity="warning", markup=False)
            return
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        if code != 0:
            self.notify(f"{command} ended with {code}; the text is as it was.", severity="warning", markup=False)
        elif text != self.editor.text:
            last = self.editor.document.line_count - 1
            self.editor.replace(text, (0, 0), (last, len(self.editor.document.get_line(last))))

    # -- leaving -----------------------------------------------------------------------------

    @work(group="leave", exclusive=True, exit_on_error=False)
    async def action_leave(self) -> None:
        """Leave; with changes, ask."""
        if self.query(Prompt):
            return
        if self._completing:
            self._hide_completions()
            return
        if not self.modified or self._acts.read_only:
            self.dismiss()
            return
        kept = self._draft is not None and self._draft.kept
        answers = [("back", "Go on editing"), ("discard", "Throw the changes away")]
        if kept:
            answers.insert(1, ("keep", "Leave, and keep a draft"))
        answer = await self.app.push_screen_wait(Question("The text was changed and not applied.", tuple(answers)))
        if answer == "discard":
            if self._draft is not None:
                await asyncio.to_thread(self._draft.discard)
            self._original = ""
            self.dismiss()
        elif answer == "keep":
            await asyncio.to_thread(self._write_draft)
            self.dismiss()


def field_path(said: str) -> FieldPath:
    """A field as people and servers write it, as a path: `spec.containers[0].image`.

    Args:
        said: keys with dots in them stand in brackets, quoted or not: `metadata.labels[app.kubernetes.io/name]`.
    """
    path: list[str | int] = []
    for name, bracketed in _PARTS.findall(said):
        if name:
            path.append(name)
        else:
            inner = bracketed.strip("\"'")
            path.append(int(inner) if inner.isdigit() else inner)
    return tuple(path)
