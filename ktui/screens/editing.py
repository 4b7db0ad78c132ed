"""EditingScreen: a text of YAML with all that helps to write it, whatever it is for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import TextArea

from ktui.actions.drafts import Draft, DraftFile, DraftNotKept
from ktui.actions.referred import Referred
from ktui.actions.server_side_apply import ManagerConflicts
from ktui.kinds.text import clean
from ktui.kube.collector import collector_paused
from ktui.kube.errors import KtuiError
from ktui.manifests.check import check
from ktui.manifests.definitions import GVK, gvk_of
from ktui.manifests.problems import Path as FieldPath
from ktui.manifests.problems import Problem, spell
from ktui.manifests.reading import Document, Reading, read
from ktui.manifests.referring import loose_ends
from ktui.manifests.refused import field_path
from ktui.manifests.schema import Schema, complete, describe
from ktui.manifests.snippets import Snippet, container_at, insertion, offered
from ktui.manifests.typed_at import document_at, typed_at
from ktui.screens.picker import Choice, Picker
from ktui.screens.questions import Question
from ktui.screens.text_files import edited_elsewhere, file_of, write_text
from ktui.widgets.bar import Bar, Part
from ktui.widgets.completions import Completions
from ktui.widgets.editor import Editor, Mark
from ktui.widgets.failures import FailuresSaid
from ktui.widgets.find_bar import FindBar
from ktui.widgets.key_bar import KeyBar
from ktui.widgets.palette import Ink
from ktui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from ktui.acts import Acts
    from ktui.app import KtuiApp

THINKS = 0.35
"""Seconds for which nothing is typed before the text is read."""

ASK_AGAIN = 10.0
"""Seconds after which a schema that was not known is asked for again."""

DRAFT_EVERY = 0.5
"""Seconds between two drafts while somebody types."""


class EditingScreen(FailuresSaid, Screen[None]):
    """An editor of manifests: what is wrong is marked where it stands, and what may stand somewhere is offered.

    What becomes of the text is up to whoever derives from it.

    Args:
        acts: the cluster, and what applies changes.

    Attributes:
        editor: the text.
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
        Binding("f2", "snippet", "Insert", priority=True, tooltip="Put in a probe, a volume … where it goes."),
        Binding("ctrl+l", "explain", "Explain", priority=True, tooltip="What a field means, and what may be in it."),
        Binding("f8", "problem(1)", "Next problem", tooltip="Go to the next problem."),
        Binding("shift+f8,f20", "problem(-1)", "Problem before", show=False, tooltip="Go to the problem before."),
        Binding("ctrl+f", "find", "Find", priority=True, tooltip="Find a text, as it is typed."),
        Binding("ctrl+r", "replace", "Replace", show=False, priority=True, tooltip="Put another text in its place."),
        Binding("f3", "find_again(1)", "Next", show=False, tooltip="The next place where it stands."),
        Binding("shift+f3,f15", "find_again(-1)", "Previous", show=False, tooltip="The place before."),
        Binding("ctrl+g", "go", "Go to", priority=True, tooltip="Go to a field, such as spec.replicas, or a line."),
        Binding("ctrl+o", "external", "$EDITOR", priority=True, tooltip="Edit it in your own editor."),
        Binding("alt+w", "write", "Write to a file", show=False, priority=True, tooltip="Write the text to a file."),
        Binding("f1", "help", "Help", priority=True, tooltip="All keys."),
        Binding("escape", "leave", "Back"),
    ]
    DEFAULT_CSS = """
    EditingScreen { background: $background; layout: vertical; }
    """

    def __init__(self, acts: Acts) -> None:
        super().__init__()
        self._acts = acts
        self.editor = Editor(read_only=True, id="text")
        self._referred = Referred(acts.place)
        self._unsure: KtuiError | None = None
        self._schemas: dict[GVK, Schema | None] = {}
        self._asked: dict[GVK, float] = {}
        self._reading: Reading | None = None
        self._problems: list[Problem] = []
        self._refused: list[Problem] = []
        self._original: str | None = None
        self._modified = False
        self._trouble: KtuiError | None = None
        self._busy = ""
        self._draft: DraftFile | None = None
        self._draft_waits = False
        self._seen = asyncio.Event()

    # -- what the text is for ----------------------------------------------------------------

    def heading(self) -> list[Part]:
        """What is edited, and what happened to it meanwhile."""
        raise NotImplementedError

    def draft_base(self) -> str | None:
        """What a draft of the text has to remember besides; None when no draft may be kept."""
        raise NotImplementedError

    async def apply(self, reading: Reading) -> None:
        """Apply a text without errors.

        Args:
            reading: of it.

        Raises:
            KtuiError: it cannot be; a `Misplaced` says where.
        """
        raise NotImplementedError

    @property
    def namespace(self) -> str:
        """Where objects are that do not say it."""
        return self._acts.place.namespace

    def thought(self) -> None:
        """Called when the text was read anew."""

    # -- the page ----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Title, text, what is known of the place, keys."""
        yield Bar(id="title")
        yield self.editor
        yield Completions(self.editor)
        yield FindBar(self.editor)
        yield Bar(id="place")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Type into the text."""
        self.editor.focus()
        self.tell()

    def load(self, text: str, *, original: str | None = None) -> None:
        """Begin with a text.

        Args:
            text: it.
            original: the text of which it is a change; the same when None.
        """
        self._original = text if original is None else original
        self._modified = text != self._original
        self.editor.load_text(text)
        self.think(0)

    @property
    def modified(self) -> bool:
        """Whether anything was typed that is not applied."""
        return self._modified

    def settle(self) -> None:
        """Nothing is left to be applied, so there is nothing to keep."""
        self._modified, self._original = False, self.editor.text
        if self._draft is not None:
            self._draft.discard()

    # -- thinking ----------------------------------------------------------------------------

    @on(TextArea.Changed, "#text")
    def _changed(self) -> None:
        # A text that was loaded is told of, too.
        if self._original is None or self.editor.version == 0:
            return
        self._modified, self._refused = True, []
        self.think()
        self._keep_draft()
        self.tell()

    @on(TextArea.SelectionChanged, "#text")
    def _moved(self) -> None:
        self.tell()

    @work(group="think", exclusive=True, exit_on_error=False)
    async def think(self, wait: float = THINKS) -> None:
        """Read the text when nothing is typed for a moment, and see what is wrong.

        Args:
            wait: seconds of that moment.
        """
        await asyncio.sleep(wait)
        text = self.editor.text
        self._modified = self._original is not None and text != self._original
        reading = await asyncio.to_thread(read_whole, text)
        problems = [*reading.problems, *await self._misfits(reading)]
        self._reading = reading
        self._show(problems)
        self.thought()
        self._show([*problems, *await self._loose(reading)])

    async def _misfits(self, reading: Reading) -> list[Problem]:
        found = []
        for document in reading.documents:
            schema = await self.schema(gvk_of(document.value))
            if schema is not None:
                found += await asyncio.to_thread(check, self.meant(document), schema)
        return found

    async def _loose(self, reading: Reading) -> list[Problem]:
        """What documents refer to and is not there: in themselves, among them, and on the cluster."""
        found = [problem for document in reading.documents for problem in loose_ends(document)]
        among = [document.value for document in reading.documents]
        self._unsure = None
        try:
            for document in reading.documents:
                found += await self._referred.missing(document, self.namespace, among)
        except KtuiError as error:
            self._unsure = error
        return found

    def meant(self, document: Document) -> Document:
        """A document as it is meant, where the text hides something."""
        return document

    async def schema(self, gvk: GVK | None) -> Schema | None:
        """What the server knows of a kind; without it there is less help, and no less safety."""
        if gvk is None:
            return None
        now = time.monotonic()
        if self._schemas.get(gvk) is None and now - self._asked.get(gvk, float("-inf")) > ASK_AGAIN:
            # A server that did not tell it may do so when it has come back, or when the kind has been defined.
            self._asked[gvk] = now
            self._schemas[gvk] = await self._acts.schemas.schema(*gvk)
        return self._schemas.get(gvk)

    def _show(self, problems: Sequence[Problem]) -> None:
        self._problems = sorted(problems, key=lambda problem: problem[:2])
        self._mark()
        self.tell()

    def _mark(self) -> None:
        marks: dict[int, list[Mark]] = {}
        for problem in self._all_problems:
            ink = Ink.FAILED if problem.severity == "error" else Ink.WARNING
            marks.setdefault(problem.line - 1, []).append(Mark(max(0, problem.column - 1), 0, ink))
        self.editor.mark(marks)

    @property
    def _all_problems(self) -> tuple[Problem, ...]:
        return (*self._refused, *self._problems)

    def refuse(self, problems: Sequence[Problem]) -> None:
        """Mark what was refused, and go to the first of it.

        Args:
            problems: until the text is changed.
        """
        self._refused = [*problems]
        self._mark()
        if problems:
            self.editor.go_to_line(problems[0].line - 1, max(0, problems[0].column - 1))
        self.tell()

    # -- questions ---------------------------------------------------------------------------

    async def choose(self, sentence: str, *answers: tuple[str, str], note: str = "") -> str | None:
        """Ask something, and come back to the page; see `Question`."""
        answer = await self.app.push_screen_wait(Question(sentence, answers, note=note))
        # What is notified before the page is seen again goes away with the question.
        await self._seen.wait()
        return answer

    async def ask_owners(self, error: ManagerConflicts, sentence: str, *answers: tuple[str, str]) -> str | None:
        """Ask what becomes of fields that others own.

        Args:
            error: which, and whose they are.
            sentence: what is asked.
            answers: what can be done, behind going on editing.
        """
        note = "\n".join(f"{clean(each.said)}: {clean(each.owner.said)}" for each in error.conflicts)
        return await self.choose(sentence, ("back", "Go on editing"), *answers, note=note)

    def on_screen_suspend(self) -> None:
        """Something is asked."""
        self._seen.clear()

    def on_screen_resume(self) -> None:
        """The page has the keyboard again."""
        self._seen.set()
        if self.is_mounted:
            self.editor.focus()

    # -- drafts ------------------------------------------------------------------------------

    @work(group="draft", exit_on_error=False)
    async def _keep_draft(self) -> None:
        """Write the draft soon; whoever types without a pause has it written, too."""
        if self._draft_waits:
            return
        self._draft_waits = True
        await asyncio.sleep(DRAFT_EVERY)
        self._draft_waits = False
        await asyncio.to_thread(self.write_draft)

    def write_draft(self) -> None:
        """Keep what was typed; it is offered again, whatever ends ktui."""
        base = self.draft_base() if self._modified and self._draft is not None else None
        if self._draft is None or base is None:
            return
        try:
            self._draft.write(Draft(self.editor.text, base, self._acts.place.now))
        except DraftNotKept as error:
            self.app.call_later(self.notify, f"{error.sentence} {error.next_step}", severity="warning", markup=False)

    async def offer_draft(self, what: str) -> Draft | None:
        """The draft of before, if there is one and the person wants it.

        Args:
            what: it is of; safe to show.
        """
        draft = await asyncio.to_thread(self._draft.read) if self._draft is not None else None
        if draft is None or draft.text == self.editor.text:
            return None
        answer = await self.choose(
            f"There is a draft of {what} that was not applied.",
            ("keep", "Go on with it"),
            ("discard", "Throw it away"),
        )
        if answer == "discard" and self._draft is not None:
            await asyncio.to_thread(self._draft.discard)
        return draft if answer == "keep" else None

    def on_unmount(self) -> None:
        """Whatever ends ktui, what was typed last is kept, too."""
        if self._modified:
            self.write_draft()

    # -- words -------------------------------------------------------------------------------

    def tell(self) -> None:
        """Show what is edited, and what is known of the place of the cursor."""
        if not self.is_attached:
            return
        left = [Part(" Edit ", "badge"), Part("  "), *self.heading()]
        if self._trouble is not None:
            left.append(Part(f"  {clean(self._trouble.sentence)}", "failed"))
        elif self._original is None:
            left.append(Part("  reading …", "dim"))
        if self._unsure is not None:
            left.append(Part(f"  references not checked: {clean(self._unsure.sentence)}", "warning"))
        if self._modified:
            left.append(Part("  changed", "key"))
        if self._busy:
            left.append(Part(f"  {self._busy} …", "working"))
        self.query_one("#title", Bar).show(left, self._counts())
        self.query_one("#place", Bar).show(self._place_words())

    def _counts(self) -> list[Part]:
        errors = sum(problem.severity == "error" for problem in self._all_problems)
        warnings = len(self._all_problems) - errors
        found = [Part(f"✖ {errors} ", "failed", weight=3)] if errors else []
        found += [Part(f"▲ {warnings} ", "warning", weight=2)] if warnings else []
        row, column = self.editor.cursor_location
        return [*found, Part(f"{row + 1}:{column + 1} ", "dim", weight=1)]

    def _place_words(self) -> list[Part]:
        """What is wrong where the cursor is; else what is known of the field."""
        if self._trouble is not None:
            return [Part(f" {clean(self._trouble.next_step)} ktui keeps trying.", "warning")]
        row, column = self.editor.cursor_location
        here = [problem for problem in self._all_problems if problem.line - 1 == row]
        if here:
            problem = min(here, key=lambda problem: (problem.severity != "error", abs(problem.column - 1 - column)))
            more = f" (+{len(here) - 1})" if len(here) > 1 else ""
            style = "failed" if problem.severity == "error" else "warning"
            return [Part(f" {clean(problem.message)}{more}", style)]
        document, path = self.document, self.path
        if not path:
            return [Part(" ")]
        said = [Part(f" {clean(spell(path))}  ", "dim")]
        schema = self._schemas.get(gvk_of(document.value) or ("", "", "")) if document is not None else None
        if schema is not None and (known := describe(schema, path)) is not None:
            said += [Part(f"{clean(known.type)}  ", "key"), Part(clean(" ".join(known.text.split())), "text")]
        return said

    @property
    def document(self) -> Document | None:
        """The document where the cursor is, as it was read last."""
        row = self.editor.cursor_location[0] + 1
        return next((document for document in reversed(self._documents()) if document.line <= row), None)

    @property
    def path(self) -> FieldPath:
        """The field where the cursor is, as the text was read last."""
        document = self.document
        return document.on_line(self.editor.cursor_location[0] + 1) if document is not None else ()

    def _documents(self) -> list[Document]:
        if self._reading is None:
            return []
        return sorted((*self._reading.documents, *self._reading.fragments), key=lambda document: document.line)

    # -- moving ------------------------------------------------------------------------------

    def action_problem(self, by: int) -> None:
        """Go to the next line with a problem, or to the one before."""
        places = sorted({(problem.line - 1, max(0, problem.column - 1)) for problem in self._all_problems})
        rows = [*dict.fromkeys(row for row, _ in places)]
        if not rows:
            self.notify("No problems.")
            return
        here = self.editor.cursor_location[0]
        beyond = [row for row in rows[::by] if (row - here) * by > 0]
        row = (beyond or rows[::by])[0]
        self.editor.go_to_line(*next(place for place in places if place[0] == row))

    def action_find(self) -> None:
        """Look for a text."""
        self.query_one(FindBar).open()

    def action_replace(self) -> None:
        """Put a text in the place of another."""
        self.query_one(FindBar).open(replace=True)

    def action_find_again(self, by: int) -> None:
        """Go to the next place where the text stands, or to the one before."""
        self.query_one(FindBar).action_find(by)

    def action_go(self) -> None:
        """Type where to go."""
        self.ask("go", "→", "a field, such as spec.template.spec.containers[0].image, or the number of a line")

    def ask(self, name: str, sign: str, hint: str, text: str = "") -> None:
        """Ask for a line of text.

        Args:
            name: to know the answer by.
            sign: before it.
            hint: what can be typed.
            text: what stands there at first.
        """
        if not self.query(Prompt):
            cast("KtuiApp", self.app).hold_keys()
            self.mount(Prompt(sign, id=name, placeholder=hint, text=text), before="#keys")

    @on(Prompt.Ready)
    def _prompt_ready(self) -> None:
        cast("KtuiApp", self.app).release_keys()

    @on(Prompt.Done)
    def _prompt_done(self, event: Prompt.Done) -> None:
        event.prompt.remove()
        self.editor.focus()
        if event.text:
            self.answered(str(event.prompt.id), event.text.strip())

    def answered(self, name: str, text: str) -> None:
        """Somebody typed a line that was asked for.

        Args:
            name: what was asked.
            text: the line.
        """
        if name == "go":
            self._go(text)
        elif name == "write":
            self._write(text)

    def _go(self, typed: str) -> None:
        if typed.isdigit():
            self.editor.go_to_line(int(typed) - 1)
            return
        for document in self._documents():
            if (path := field_path(typed, document.value)) in document.positions:
                position = document.key(path)
                self.editor.go_to_line(position.line - 1, position.column - 1)
                return
        self.notify(f"There is no field {typed}.", severity="warning", markup=False)

    # -- what may stand here -----------------------------------------------------------------

    @work(group="complete", exclusive=True, exit_on_error=False)
    async def action_complete(self) -> None:
        """Offer what may stand where the cursor is."""
        await self.editor.typed()
        lines, (row, column) = self.editor.document.lines, self.editor.cursor_location
        gvk = document_at(lines, row)
        schema = await self.schema(gvk) if gvk is not None else None
        if schema is None:
            what = f"of {clean(gvk[2])} " if gvk is not None else ""
            self.notify(f"The server's schema {what}is not known, so there is nothing to offer.", severity="warning")
            return
        path, prefix = typed_at(lines, row, column)
        found = complete(schema, path, prefix, self._present(path, prefix))
        if len(found) == 1 and prefix:
            self.query_one(Completions).offer(found, prefix)
            self.query_one(Completions).take(found[0])
        elif found:
            self.query_one(Completions).offer(found, prefix)
        else:
            self.notify("Nothing known may stand here.")

    def _present(self, path: FieldPath, prefix: str) -> list[str]:
        """The keys of a map that are there already, but for the one that is being typed."""
        value: Any = self.document.value if self.document is not None else None
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return []
        return [key for key in value if key != prefix] if isinstance(value, dict) else []

    @work(group="snippet", exclusive=True, exit_on_error=False)
    async def action_snippet(self) -> None:
        """Choose fields that are often wanted, and put them where they belong."""
        await self.editor.typed()
        reading = await asyncio.to_thread(read_whole, self.editor.text)
        self._reading = reading
        document = self.document
        if reading.errors or (document is not None and not isinstance(document.value, dict)):
            self.notify("The text cannot be read as it stands. Mend it first; f8 goes to what is wrong.")
            return
        found = self.offers(document)
        if not found:
            self.notify("Nothing is offered here. In a container there is more.", severity="warning")
            return
        where = clean(spell(container_at(kind_said(document), self.path) or ())) if document is not None else ""
        chosen = await self.pick(f"Put in{f'   {where}' if where else ''}", [Choice(title, title) for title in found])
        if chosen is not None:
            found[chosen]()

    def offers(self, document: Document | None) -> dict[str, Callable[[], None]]:
        """What can be put in where the cursor is: what it is called, and what puts it there.

        Args:
            document: at the cursor; None when nothing stands there.
        """
        if document is None:
            return {}
        found = offered(kind_said(document), self.path)
        return {snippet.title: partial(self._put_in, snippet, document) for snippet in found}

    def _put_in(self, snippet: Snippet, document: Document) -> None:
        edits = insertion(snippet, self.editor.document.lines, document, self.path)
        if not edits:
            self.notify("It is there already.", severity="warning")
        self.editor.apply_edits(edits, snippet.select)

    async def pick(self, title: str, choices: Sequence[Choice]) -> str | None:
        """Let somebody choose by typing, and come back to the page."""
        chosen = await self.app.push_screen_wait(Picker(title, choices, placeholder="type to narrow"))
        await self._seen.wait()
        return chosen

    @work(group="explain", exclusive=True, exit_on_error=False)
    async def action_explain(self) -> None:
        """Explain the field where the cursor is."""
        from ktui.screens.explain import ExplainScreen

        lines, (row, column) = self.editor.document.lines, self.editor.cursor_location
        gvk = document_at(lines, row)
        schema = await self.schema(gvk) if gvk is not None else None
        if schema is None:
            self.notify("The server's schema of this kind is not known.", severity="warning")
            return
        path = self.path or typed_at(lines, row, column)[0]
        self.app.push_screen(ExplainScreen(schema, path))

    # -- applying ----------------------------------------------------------------------------

    @work(group="apply", exclusive=True, exit_on_error=False)
    async def action_apply(self) -> None:
        """Check, show what would change, apply."""
        await self.editor.typed()
        if self._original is None:
            return
        self.say_busy("checking")
        try:
            reading = await asyncio.to_thread(read_whole, self.editor.text)
            self._reading = reading
            if reading.errors:
                self._problems = [*reading.problems]
                self.refuse(reading.errors[:1])
                self._refused = []
                return
            await self.apply(reading)
        except Misplaced as error:
            self.refuse([error.problem])
        except KtuiError as error:
            self.say(error)
        finally:
            self.say_busy("")

    def say_busy(self, words: str) -> None:
        """Say what is waited for; nothing when empty."""
        self._busy = words
        self.tell()

    # -- files and other editors -------------------------------------------------------------

    @work(group="external", exclusive=True, exit_on_error=False)
    async def action_external(self) -> None:
        """Edit the text in the person's own editor."""
        await self.editor.typed()
        try:
            text = await edited_elsewhere(self.app, self.editor.text)
        except KtuiError as error:
            self.say(error)
            return
        if not self.editor.read_only:
            self.put(text)

    def say(self, error: KtuiError) -> None:
        """Notify what went wrong, and what to do."""
        self.notify(f"{error.sentence} {error.next_step}".strip(), severity="warning", markup=False)

    def put(self, text: str) -> None:
        """Put another text in the place of the whole, as one step back for undo."""
        if text != self.editor.text:
            last = self.editor.document.line_count - 1
            self.editor.replace(text, (0, 0), (last, len(self.editor.document.get_line(last))))

    def action_write(self) -> None:
        """Ask for the file."""
        self.ask("write", "→", "the file to write the text to", self.file_name())

    def file_name(self) -> str:
        """The file that the text would be written to."""
        return "manifest.yaml"

    @work(group="write", exclusive=True, exit_on_error=False)
    async def _write(self, name: str) -> None:
        file = file_of(name)
        if await asyncio.to_thread(file.exists):
            answer = await self.choose(
                f"{clean(name)} is there already.", ("back", "Leave it as it is"), ("over", "Write over it")
            )
            if answer != "over":
                return
        try:
            await write_text(file, self.editor.text)
        except KtuiError as error:
            self.say(error)
        else:
            self.notify(f"Written to {name}.", markup=False)

    def action_help(self) -> None:
        """All keys."""
        from ktui.screens.help import HelpScreen, editing_groups

        self.app.push_screen(HelpScreen(editing_groups(self)))

    # -- leaving -----------------------------------------------------------------------------

    @work(group="leave", exclusive=True, exit_on_error=False)
    async def action_leave(self) -> None:
        """Leave; with changes, ask."""
        await self.editor.typed()
        if not self.modified or self.editor.read_only:
            self.dismiss()
            return
        answers = [("back", "Go on editing"), ("discard", "Throw the changes away"), ("write", "Write them to a file")]
        if self.draft_base() is not None:
            answers.insert(1, ("keep", "Leave, and keep a draft"))
        answer = await self.choose("The text was changed and not applied.", *answers)
        if answer == "discard":
            self.settle()
            self.dismiss()
        elif answer == "keep":
            await asyncio.to_thread(self.write_draft)
            self.dismiss()
        elif answer == "write":
            self.action_write()


class Misplaced(KtuiError):  # noqa: N818 - named as those of errors.py
    """Something that stands in the text keeps it from being applied.

    Attributes:
        problem: what, and where.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def kind_said(document: Document) -> str:
    """The kind that a document says it is of; empty when it does not."""
    return str(document.value.get("kind", "")) if isinstance(document.value, dict) else ""


def read_whole(text: str) -> Reading:
    """Read a text, and be ready to tell where its values are; it is work for a thread."""
    with collector_paused():
        reading = read(text)
        for document in _prepared(reading):
            document.on_line(document.line)
    return reading


def _prepared(reading: Reading) -> Iterator[Document]:
    """The first look for a line sorts them all, which is better done in a thread."""
    yield from reading.documents
    yield from reading.fragments
