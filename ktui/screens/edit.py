"""EditScreen: the manifest of an object, to be changed without fear."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ktui.actions.action import Action, JsonObject, Refusal, Target
from ktui.actions.difference import Change, lines
from ktui.actions.drafts import DraftFile
from ktui.actions.edit import Conflicts, blames_the_text, editable
from ktui.actions.permission import Verdict
from ktui.actions.replace import immutable
from ktui.actions.server_side_apply import ManagerConflicts, manager_conflicts
from ktui.actions.sheet import Mode, NotMeant, Sheet
from ktui.actions.undertaking import Stage, Undertaking
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.text import clean
from ktui.kube.backoff import Backoff
from ktui.kube.errors import ApiError, ConnectionFailed, KtuiError, ServerError
from ktui.manifests.blame import by_line, owner_of, said, words
from ktui.manifests.merge import Conflict
from ktui.manifests.problems import Problem
from ktui.manifests.reading import Document, Reading
from ktui.manifests.refused import problems_of
from ktui.screens.compare import CompareScreen, Side, compare_last_applied
from ktui.screens.editing import EditingScreen, Misplaced, read_whole
from ktui.widgets.bar import Bar, Part
from ktui.widgets.editor import Editor, Note

if TYPE_CHECKING:
    from ktui.acts import Acts

BLAME = 26
"""Cells of what is said beside lines."""

LONGEST_SIDE = 60
"""Characters of a value that is shown to be chosen."""


class EditScreen(EditingScreen):
    """An editor for one object.

    Args:
        acts: the cluster, and what applies changes.
        kind: the object's kind.
        key: its namespace and name.
        external: whether the person's own editor is opened at once.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "blame", "Who", show=False, priority=True, tooltip="Who set each line, and when; or no longer."),
        Binding("f5", "mode", "Mode", show=False, priority=True, tooltip="Send it another way: patch, apply, replace."),
        Binding(
            "alt+m",
            "compare",
            "Compare",
            show=False,
            priority=True,
            tooltip="Compare the text with what is on the server.",
        ),
        Binding(
            "alt+l",
            "last_applied",
            "Last applied",
            show=False,
            priority=True,
            tooltip="Compare what is on the server with what kubectl apply was given last.",
        ),
        Binding(
            "f12,alt+s",
            "status",
            "Status",
            show=False,
            priority=True,
            tooltip="Show its status below, or fold it again.",
        ),
        Binding(
            "alt+v",
            "values",
            "Values",
            show=False,
            priority=True,
            tooltip="Show a secret's values, decoded, or mask them.",
        ),
    ]
    DEFAULT_CSS = """
    EditScreen {
        & > #status { display: none; height: 40%; }
        & > #status.-shown { display: block; }
        & > #fold { display: none; }
    }
    """

    def __init__(self, acts: Acts, kind: Kind, key: ObjectKey, *, external: bool = False) -> None:
        super().__init__(acts)
        self._external = external
        self._kind = kind
        self._key = key
        self._sheet: Sheet | None = None
        self._decoded = False
        self._mode = Mode.PATCH
        self._blames = False
        self._denied: Verdict | None = None
        self._mine: JsonObject | None = None
        self._undertaking: Undertaking | None = None

    def compose(self) -> ComposeResult:
        """The text, and the status below a fold."""
        for widget in super().compose():
            if widget.id == "place":
                yield Bar(id="fold")
                yield Editor(read_only=True, id="status")
            yield widget

    @property
    def sheet(self) -> Sheet:
        """What is edited.

        Raises:
            Refusal: it has not been read.
        """
        if self._sheet is None:
            raise Refusal("The object has not been read yet.", "Try again in a moment.")
        return self._sheet

    def on_mount(self) -> None:
        """Read the object."""
        self._open()

    # -- reading -----------------------------------------------------------------------------

    @work(group="open", exit_on_error=False)
    async def _open(self) -> None:
        item = await self._got()
        identity = self._acts.place.client.identity
        self._sheet = sheet = Sheet(self._kind, self._key, item, item)
        self._draft = DraftFile(identity.server, identity.context, self._kind.gvr, self._key)
        text = await asyncio.to_thread(sheet.text)
        self.load(text)
        self.editor.read_only = self._acts.read_only
        self._ask_whether_allowed()
        self._follow()
        self._learn()
        draft = await self.offer_draft(self._said)
        if draft is not None:
            if draft.base:
                sheet.base = msgspec.json.decode(draft.base)
            self.load(draft.text, original=text)
        self.tell()
        if self._external:
            self.action_external()

    async def _got(self) -> JsonObject:
        """The object; an outage is said, and waited for, and so is whatever else keeps it away."""
        backoff = Backoff()
        while True:
            try:
                item = await self._acts.place.get(self._kind.gvr, self._key)
            except KtuiError as error:
                self._trouble = error
                self.tell()
                await asyncio.sleep(backoff.next(time.monotonic(), getattr(error, "retry_after", None)))
            else:
                self._trouble = None
                return item

    @property
    def _said(self) -> str:
        return clean(f"{self._kind.singular} {self._key}")

    @work(group="allowed", exit_on_error=False)
    async def _ask_whether_allowed(self) -> None:
        """Whoever may not change it sees the same, and finds out before typing, not afterwards."""
        sheet = self.sheet
        verdict = await self._acts.verdict(sheet.action(sheet.live, Mode.PATCH), [sheet.target])
        if verdict.allowed is False:
            self._denied = verdict
            self.editor.read_only = True
            self.tell()

    @work(group="learn", exit_on_error=False)
    async def _learn(self) -> None:
        """How lists are merged is part of the schema."""
        gvr = self._kind.gvr
        schema = await self.schema((gvr.group, gvr.version, self._kind.kind))
        if schema is not None:
            self.sheet.lists = schema.lists

    @work(group="follow", exit_on_error=False)
    async def _follow(self) -> None:
        """Watch the object while it is edited."""
        sheet = self.sheet
        try:
            async for item in self._acts.place.watch(self._kind.gvr, self._key):
                sheet.gone = item is None
                if item is not None:
                    sheet.live = item
                self.thought()
                self.tell()
        except KtuiError as error:
            self.notify(f"It is not watched: {error.sentence}", severity="warning", markup=False)

    def thought(self) -> None:
        """A quiet mark at lines that somebody else has changed since; its status as it is now."""
        reading, sheet = self._reading, self._sheet
        if self._undertaking is not None:
            # What happens to it now is done from here.
            return
        if reading is not None and reading.documents and sheet is not None:
            self._mark_others(sheet, reading.documents[0])
        self._tell_status()
        if self._blames:
            self._tell_blame()

    @work(group="others", exclusive=True, exit_on_error=False)
    async def _mark_others(self, sheet: Sheet, document: Document) -> None:
        changes = await asyncio.to_thread(sheet.changes_of_others)
        self.editor.mark_changed(document.key(change.path).line - 1 for change in changes)
        self.tell()

    # -- who set what ------------------------------------------------------------------------

    def action_blame(self) -> None:
        """Say beside each line who set it and when, or no longer."""
        self._blames = not self._blames
        if self._blames:
            self._tell_blame()
        else:
            self.editor.annotate(None)

    @work(group="blame", exclusive=True, exit_on_error=False)
    async def _tell_blame(self) -> None:
        reading, sheet = self._reading, self._sheet
        if sheet is None or reading is None or not reading.documents:
            return
        owners = await asyncio.to_thread(by_line, reading.documents[0], sheet.live)
        now = self._acts.place.now
        if self._blames:
            told = {line - 1: Note(words(found, now, BLAME)) for line, found in owners.items()}
            self.editor.annotate(told, BLAME)

    # -- comparing -----------------------------------------------------------------------------

    @work(group="compare", exclusive=True, exit_on_error=False)
    async def action_compare(self) -> None:
        """Compare the text with what is on the server."""
        sheet, mine = self._sheet, await self._as_meant()
        if sheet is None or mine is None:
            self.notify("The text cannot be read as it stands. Mend it first; f8 goes to what is wrong.")
            return
        sides = Side("on the server", editable(sheet.live)), Side("the text", mine)
        self.app.push_screen(CompareScreen(*sides, about=f"{self._kind.singular} {self._key}"))

    def action_last_applied(self) -> None:
        """Compare what is on the server with what `kubectl apply` was given last."""
        self.app.push_screen(compare_last_applied(self._acts.place, self._kind, self._key))

    # -- the status, below a fold ------------------------------------------------------------

    def action_status(self) -> None:
        """Show the status, or fold it again."""
        self.query_one("#status").toggle_class("-shown")
        self._tell_status()

    def _tell_status(self) -> None:
        text = self.sheet.status() if self._sheet is not None else ""
        fold, status = self.query_one("#fold", Bar), self.query_one("#status", Editor)
        fold.display = bool(text)
        shown = status.has_class("-shown") and bool(text)
        sign, rest = ("▾", "") if shown else ("▸", f"  {text.count(chr(10)) - 1} lines, which the cluster writes")
        fold.show([Part(f" {sign} status", "dim", "status"), Part(rest, "dim", "status")])
        if shown and status.text != text:
            at = status.scroll_offset
            status.load_text(text)
            status.scroll_to(at.x, at.y, animate=False)

    # -- words -------------------------------------------------------------------------------

    def heading(self) -> list[Part]:
        """The object, and what others did to it meanwhile."""
        found = [Part(f"{self._kind.singular} ", "text"), Part(clean(str(self._key)), "strong")]
        sheet = self._sheet
        if sheet is None or self._undertaking is not None:
            return found
        if self._denied is not None:
            found.append(Part(f"  read-only: {clean(self._denied.why)}", "warning"))
        if self._mode is not Mode.PATCH:
            found.append(Part(f"  {self._mode.value}", "key"))
        if sheet.secret:
            found.append(Part("  values shown" if self._decoded else "  values masked", "dim"))
        if sheet.gone:
            found.append(Part("  deleted meanwhile", "failed"))
        elif sheet.replaced:
            found.append(Part("  deleted, and made anew by somebody else", "failed"))
        elif self.editor.changed_elsewhere:
            many = len(self.editor.changed_elsewhere)
            found.append(Part(f"  changed by somebody else in {many} line{'s' if many > 1 else ''}", "warning"))
        return found

    def draft_base(self) -> str | None:
        """The object with which it began; what is typed into a Secret is written nowhere."""
        sheet = self._sheet
        return None if sheet is None or sheet.secret else msgspec.json.encode(sheet.base).decode()

    def file_name(self) -> str:
        """Named as the object."""
        return f"{self._key.name}.yaml"

    def action_write(self) -> None:
        """Ask for the file; masks are nothing to be kept."""
        if self._sheet is not None and self._sheet.secret and not self._decoded:
            self.notify("The values are masked. Show them first, with alt+v.", severity="warning")
        else:
            super().action_write()

    # -- values of secrets -------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only secrets have values to show."""
        return self._sheet is not None and self._sheet.secret if action == "values" else True

    @work(group="values", exclusive=True, exit_on_error=False)
    async def action_values(self) -> None:
        """Show the values of a secret, decoded, to be edited as they are; or mask them."""
        await self.editor.typed()
        sheet, decoded = self.sheet, not self._decoded
        if not self._modified:
            self.load(sheet.text(decoded=decoded))
        elif (mine := await self._as_meant()) is not None:
            self.put(sheet.shown(mine, decoded=decoded))
        else:
            self.notify("The text cannot be read as it stands. Mend it first.", severity="warning")
            return
        self._decoded = decoded
        self.tell()

    def meant(self, document: Document) -> Document:
        """What is masked is not wrong."""
        sheet, value = self._sheet, document.value
        if sheet is None or not sheet.secret or not isinstance(value, dict):
            return document
        return replace(document, value=sheet.restored(value).value)

    async def _as_meant(self) -> JsonObject | None:
        """The object that the text means as it stands; None where it means none."""
        reading = await asyncio.to_thread(read_whole, self.editor.text)
        if reading.errors or len(reading.documents) != 1:
            return None
        try:
            return self.sheet.mine(reading.documents[0].value)
        except KtuiError:
            return None

    # -- applying ----------------------------------------------------------------------------

    def action_mode(self) -> None:
        """Send it another way."""
        modes = [*Mode]
        self._mode = modes[(modes.index(self._mode) + 1) % len(modes)]
        self.tell()

    async def apply(self, reading: Reading) -> None:
        """Merge, ask the server, and show what would change."""
        if self._denied is not None:
            raise Refusal(self._denied.why, self._denied.ask)
        sheet = self.sheet
        if len(reading.documents) != 1:
            raise Refusal("There must be one document: the object that is edited.", "Press n for new objects.")
        document = reading.documents[0]
        try:
            mine = sheet.mine(document.value)
        except NotMeant as error:
            at = document.at(error.path)
            words = f"{error.sentence} {error.next_step}"
            raise Misplaced(Problem(at.line, at.column, error.path, "error", words)) from error
        if sheet.gone:
            await self._create_again(mine)
            return
        if sheet.replaced and not await self._means_the_new_one():
            return
        if not await self._choose(mine):
            return
        planned = sheet.action(mine, self._mode)
        refusal = await self._dry_run(planned)
        action = planned if refusal is None else await self._settled(refusal, mine)
        if action is not None:
            self._mine = mine
            self._undertaking = self._acts.act(action, [Target(sheet.kind, sheet.key, sheet.target.uid)])

    async def _dry_run(self, action: Action) -> KtuiError | None:
        """Why the server would refuse it; what it finds wrong is marked before any dialog opens."""
        for step in action.plan(self.sheet.target, {}):
            try:
                await self._acts.place.send(step.write, dry_run=True)
            except KtuiError as error:
                return manager_conflicts(error, step.write.body) or error
        return None

    async def _settled(self, error: KtuiError, mine: JsonObject) -> Action | None:
        """What to do instead of what would be refused; None when there is something to mend first.

        What is neither wrong with the text nor owned by others, the dialog says: it reads the object anew, and knows
        whom to ask.

        Raises:
            KtuiError: there is nobody to be asked at the moment.
        """
        sheet = self.sheet
        if isinstance(error, ManagerConflicts):
            return await self._taken_over(error, mine)
        if isinstance(error, ApiError) and blames_the_text(error):
            self.refuse(self._problems_of(error, mine))
            return await self._recreated(error, mine)
        if isinstance(error, ConnectionFailed | ServerError):
            raise error
        return sheet.action(mine, self._mode)

    async def _recreated(self, error: KtuiError, mine: JsonObject) -> Action | None:
        """What may not be changed can be had by deleting the object and creating it again, if somebody wants that."""
        causes = immutable(error)
        if not causes:
            return None
        answer = await self.choose(
            f"{clean(causes[0].field) or 'A part of it'} cannot be changed.",
            ("back", "Go on editing"),
            ("recreate", "Delete the object, and create what was edited in its place"),
            note=clean(causes[0].message),
        )
        return self.sheet.recreation(mine) if answer == "recreate" else None

    async def _create_again(self, mine: JsonObject) -> None:
        """What was deleted meanwhile can be created again, or kept as a file."""
        answer = await self.choose(
            "It was deleted meanwhile.",
            ("back", "Go on editing"),
            ("create", "Create it again, as it was edited"),
            ("write", "Write the text to a file"),
        )
        if answer == "create":
            self._mine = mine
            self._undertaking = self._acts.act(self.sheet.recreation(mine), [self.sheet.place])
        elif answer == "write":
            self.action_write()

    async def _means_the_new_one(self) -> bool:
        """Whether the edit is meant for the object that has the name by now."""
        answer = await self.choose(
            "It was deleted, and somebody made another one with its name.",
            ("back", "Go on editing"),
            ("new", "Apply the changes to the new one"),
        )
        return answer == "new"

    async def _taken_over(self, error: ManagerConflicts, mine: JsonObject) -> Action | None:
        """Ask what becomes of fields that others own."""
        answer = await self.ask_owners(
            error,
            "Others own what you changed.",
            ("leave", "Leave these fields to their owners, and apply the rest"),
            ("force", "Take them over: ktui owns them from then on"),
        )
        if answer == "leave":
            return self.sheet.action(mine, self._mode, leave={each.key for each in error.conflicts})
        return self.sheet.action(mine, self._mode, force=True) if answer == "force" else None

    async def _choose(self, mine: JsonObject) -> bool:
        """Ask for each field that both sides changed which value is to stay; whether all was answered."""
        for conflict in self.sheet.conflicts(mine):
            (was, ours), (_, others) = self._sides(conflict)
            answer = await self.choose(
                f"{clean(conflict.said)} was changed by somebody else meanwhile.",
                ("mine", f"Mine    {ours}"),
                ("theirs", f"Theirs  {others}"),
                note=" ".join((f"It was {was}.", *self._set_by(conflict))),
            )
            if answer is None:
                return False
            self.sheet.choices[conflict.key] = answer
        return True

    def _set_by(self, conflict: Conflict) -> list[str]:
        """Who set theirs, and when, as far as the server tells."""
        owners = owner_of(self.sheet.live, conflict.key, self.sheet.lists)
        return [f"Theirs was set by {said(owners[0], self._acts.place.now)}."] if owners else []

    def _sides(self, conflict: Conflict) -> list[tuple[str, str]]:
        """What a field was, and what each side made of it: mine, then theirs. The values of secrets stay masked."""
        sides = []
        for value in (conflict.mine, conflict.theirs):
            change = Change(conflict.path, conflict.said, conflict.base, value)
            found = lines((change,), secret=self.sheet.secret, longest=LONGEST_SIDE)
            before, after = (
                "; ".join(filter(None, texts)) for texts in zip(*(line[1:] for line in found), strict=True)
            )
            sides.append((clean(before) or "nothing", clean(after) or "nothing"))
        return sides

    @work(group="resumed", exit_on_error=False)
    async def _applied(self, undertaking: Undertaking) -> None:
        done = undertaking.works[0] if undertaking.works else None
        if done is not None and done.stage is Stage.DONE:
            self.settle()
            self.dismiss()
            return
        if isinstance(undertaking.refusal, ApiError):
            self.refuse(self._problems_of(undertaking.refusal, self._mine))
        if done is not None and isinstance(done.error, Conflicts):
            self.sheet.choices.clear()
        self.tell()

    def _problems_of(self, error: ApiError, mine: JsonObject | None) -> Sequence[Problem]:
        """What the server refused, at the lines of the fields that it names."""
        if self._reading is None or not self._reading.documents or mine is None:
            return [Problem(1, 1, (), "error", error.sentence)]
        judged = self.sheet.merged(mine).value
        return problems_of(error.message, error.details.causes, self._reading.documents[0], judged)

    def on_screen_resume(self) -> None:
        """The dialog was left: it was applied, or there is something to mend."""
        undertaking, self._undertaking = self._undertaking, None
        if undertaking is not None:
            self.thought()
            self._applied(undertaking)
