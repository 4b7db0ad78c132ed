"""ActScreen: an action from its form to its end: what is asked, what would happen, whether it is meant, how it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from ktui.actions.action import Action, Asks, Said, Target, Undone
from ktui.actions.copy import CopyText
from ktui.actions.difference import difference
from ktui.actions.form import Form
from ktui.actions.keepers import keepers
from ktui.actions.kubectl import shell_line
from ktui.actions.outcome import may_pass
from ktui.actions.permission import Verdict
from ktui.actions.undertaking import Preview, Stage, Undertaking, Work
from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.kube.errors import Conflict, KtuiError
from ktui.widgets.act_words import Words, heading, preview_words, progress_words, said_words, told
from ktui.widgets.clipboard import copy_to_clipboard
from ktui.widgets.failures import FailuresSaid
from ktui.widgets.form_view import FieldRow, FormView, Lines
from ktui.widgets.told import Told

if TYPE_CHECKING:
    from ktui.app import KtuiApp

SETTLES = 0.25
"""Seconds for which nothing is typed before the server is asked what would happen."""

READS_AGAIN = 3.0
"""Seconds after which is read again what could not be read, and may be readable by then."""

SIDE_BY_SIDE, LONG_FORM = 124, 3
"""Columns from which on a form of so many fields stands beside what would happen."""

TALLEST, LEAST = 0.96, 4
"""Which part of the terminal's height the dialog takes at most; and lines that what would happen has at least."""

FRAME, NAME = 4, 3
"""Lines of the dialog's border and buttons, and of the line in which a name is typed; each with what parts it off."""


class ActScreen(FailuresSaid, ModalScreen[None]):
    """Asks, shows what would happen, does it, and tells how it goes.

    Args:
        undertaking: the action and its targets.
        verdict: tells whether the user may; what is not allowed can be looked at, and not done.
        protected: whether every change in this context is confirmed by typing.
        hidden: how many of the targets are hidden by a filter.
        on_done: called when something was done, so that marks can be taken away.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", priority=True),
        Binding("ctrl+s", "submit", "Do it", show=False),
        Binding("ctrl+y", "copy", "Copy the kubectl line", show=False, priority=True),
        Binding("ctrl+x", "stop", "Stop what has not begun", show=False, priority=True),
        Binding("right,down", "app.focus_next", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("pagedown", "scroll(1)", show=False),
        Binding("pageup", "scroll(-1)", show=False),
    ]
    DEFAULT_CSS = """
    ActScreen {
        align: center middle;
        background: $background 60%;
        & > #box {
            width: 100; max-width: 100%; height: auto; max-height: 96%;
            background: $bar; border: round $primary; border-title-color: $primary; border-subtitle-color: $faint;
            padding: 0 1;
        }
        &.-destructive > #box { border: round $failed; border-title-color: $failed; }
        &.-beside > #box { width: 150; }
        & #parts { height: auto; max-height: 100%; layout: vertical; }
        &.-beside #parts { layout: horizontal; }
        & #ask { height: auto; width: 1fr; background: $bar; scrollbar-size-vertical: 1; }
        &.-beside #ask { width: 62; padding-right: 2; }
        & #told { height: auto; width: 1fr; background: $bar; scrollbar-size-vertical: 1; }
        & .apart { margin-bottom: 1; }
        &.-beside #ask.apart { margin-bottom: 0; }
        & #facts { color: $quiet; height: auto; }
        & #name { height: auto; margin-top: 1; }
        & #name > Label { color: $warning; }
        & #name > Input { border: none; height: 1; padding: 0; background: $surface; }
        & #name > Input:focus { background: $row-cursor; }
        & #buttons { height: 1; margin-top: 1; align-horizontal: left; }
        & #hint { color: $faint; width: 1fr; height: 1; content-align-horizontal: right; }
        & Button { min-width: 10; margin-right: 2; }
        & Button.-style-default:focus {
            background: $row-cursor; background-tint: $row-cursor 0%; color: $bright; text-style: bold;
        }
    }
    """

    # Until the form is there, what is typed waits for it.
    takes_keys_later = True

    def __init__(
        self,
        undertaking: Undertaking,
        *,
        verdict: Callable[[Action, Sequence[Target]], Awaitable[Verdict]],
        protected: bool = False,
        hidden: int = 0,
        on_done: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self.undertaking = undertaking
        undertaking.changed = self._changed
        self._protected = protected
        self._verdict = verdict
        self._denied: Verdict | None = None
        self._hidden = hidden
        self._on_done = on_done
        self._said: Sequence[Said] = ()
        self._previews: dict[Work, list[Preview]] = {}
        self._checked = False
        self._trouble: KtuiError | None = None
        self._going: asyncio.Task[None] | None = None
        self._tell_soon = False
        self._labels = ("", "")

    @property
    def action(self) -> Action:
        """What is done."""
        return self.undertaking.action

    def compose(self) -> ComposeResult:
        """A box: what is asked, what would happen, buttons."""
        with Vertical(id="box"):
            with Container(id="parts"):
                yield VerticalScroll(id="ask", can_focus=False)
                with VerticalScroll(id="told", can_focus=False):
                    yield Told()
            with Vertical(id="name"):
                yield Label(id="type-this", markup=False)
                entry = Input(compact=True)
                entry.cursor_blink = False
                yield entry
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self.action.title, id="do", compact=True)
                yield Label(id="hint", markup=False)

    def on_mount(self) -> None:
        """Read what is to be changed."""
        box = self.query_one("#box")
        box.border_title = Content(heading(self.undertaking))
        self.query_one("#ask").display = self.query_one("#name").display = False
        self.query_one("#do", Button).disabled = True
        self._tell()
        self._read()

    # -- reading -----------------------------------------------------------------------------

    @work(group="read", exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        self._trouble, self._checked = None, False
        try:
            form = await self._form()
        except KtuiError as error:
            self._trouble = error
            self._tell()
            self.query_one("#cancel").focus()
            if may_pass(error):
                self.set_timer(READS_AGAIN, self._read)
        else:
            await self._show_form(form)
            self._think()
            self._take_keyboard()
            if self._only_looks and not form.fields and self._may_do():
                self._do()
        if self.is_current:
            cast("KtuiApp", self.app).release_keys()

    async def _form(self) -> Form:
        """What is to be asked, after a look at who may do it and at what it is done to."""
        self.query_one("#box").border_subtitle = Content(clean(self.undertaking.place.context))
        verdict = await self._verdict(self.action, self.undertaking.targets)
        self._denied = verdict if verdict.allowed is False else None
        await self.undertaking.read()
        return await self.action.form(self.undertaking.place, self.undertaking.targets)

    async def _show_form(self, form: Form) -> None:
        ask = self.query_one("#ask")
        if self.query(FormView):
            # Read again: what was typed stays.
            self.query_one(FormView).renew(form)
            self.query_one("#facts", Static).update(_lines(form.facts))
        else:
            self.undertaking.values = form.start()
            facts = Static(_lines(form.facts), id="facts", markup=False)
            facts.display = bool(form.facts)
            await ask.mount(facts, FormView(form))
        asked = any(row.display for row in self.query(FieldRow))
        self.query_one("#facts").set_class(asked, "apart")
        ask.display = asked or bool(form.facts)
        self._lay_out()

    def _take_keyboard(self) -> None:
        """Begin with the first field; where it has to be confirmed, with Cancel."""
        asked = any(row.display for row in self.query(FieldRow))
        # In a protected context a form is filled in first, too; its Enter then goes to the name.
        own = self.action.asks(self.undertaking.targets, self.undertaking.values)
        if own is not Asks.NOTHING or (self._asks is not Asks.NOTHING and not asked):
            self.query_one("#cancel").focus()
        elif asked:
            self.query_one(FormView).focus_first()
        else:
            self.query_one("#do" if self._may_do() else "#cancel").focus()

    @property
    def _only_looks(self) -> bool:
        """Whether nothing is changed, so that nothing has to be meant."""
        return not self.action.access and not self.action.creates

    # -- what would happen -------------------------------------------------------------------

    @property
    def _asks(self) -> Asks:
        if not self.query(FormView):
            return Asks.NOTHING
        if self._protected and not self._only_looks and not self._makes:
            return Asks.NAME
        return self.action.asks(self.undertaking.targets, self.undertaking.values)

    @property
    def _makes(self) -> bool:
        """Whether nothing that is there is changed; undoing makes nothing new, although it has no object at first."""
        return self.action.creates and self.action.id != "undo"

    @on(FormView.Changed)
    def _think(self) -> None:
        """Plan at once, and ask the server soon."""
        form = self.query_one(FormView)
        self.undertaking.values = form.values
        self._checked = False
        if not form.wrong:
            self.undertaking.plan()
            self._check()
        else:
            # Nothing is planned from it, so nothing that was said of another one holds.
            self.workers.cancel_group(self, "check")
            self._said, self._previews = (), {}
        self._ask_for_name()
        self._tell()

    @work(group="check", exclusive=True, exit_on_error=False)
    async def _check(self) -> None:
        await asyncio.sleep(SETTLES if self._previews else 0)
        undertaking = self.undertaking
        targets = [work.target for work in undertaking.works if work.error is None]
        weighed, previews = await asyncio.gather(self._weigh(targets), undertaking.previews())
        self._said, self._previews, self._checked = [*_kept(previews), *weighed], previews, True
        self._tell()

    async def _weigh(self, targets: Sequence[Target]) -> Sequence[Said]:
        try:
            return await self.action.weigh(self.undertaking.place, targets, self.undertaking.values) if targets else ()
        except KtuiError as error:
            return (Said(f"It is not known what else would happen: {error.sentence}", Tone.WARNING),)

    def _ask_for_name(self) -> None:
        line = self.query_one("#name")
        line.display = self._asks is Asks.NAME
        if line.display:
            self.query_one("#type-this", Label).update(f"Type {clean(self._name_wanted)} to go on:")

    @property
    def _name_wanted(self) -> str:
        targets = self.undertaking.targets
        return targets[0].key.name if len(targets) == 1 else str(len(targets))

    @on(Input.Changed, "#name > Input")
    def _name_typed(self) -> None:
        self._tell()

    def _may_do(self) -> bool:
        """Whether the button does anything."""
        works = self.undertaking.works
        if self.action.follow is None and all(not work.steps for work in works):
            return False
        if self._denied is not None or self._trouble is not None or not self.query(FormView):
            return False
        if self._incomplete or all(work.error is not None for work in works):
            return False
        if works and all(self.undertaking.leaves(work) for work in works):
            return False
        if self._asks is not Asks.NOTHING and not self._checked:
            # Nobody agrees to what has not been said yet.
            return False
        refused = [self._refused(work) for work in works if work.error is None]
        if self._checked and refused and all(refused):
            return False
        return self._asks is not Asks.NAME or self.query_one("#name > Input", Input).value == self._name_wanted

    def _refused(self, work: Work) -> bool:
        return any(preview.refused for preview in self._previews.get(work, ()))

    # -- doing it ----------------------------------------------------------------------------

    @on(FormView.Submitted)
    def _submitted(self) -> None:
        self.action_submit()

    @on(Input.Submitted, "#name > Input")
    def _name_submitted(self) -> None:
        if self._may_do():
            self._do()

    def action_submit(self) -> None:
        """Do it; where it has consequences, go to Cancel first."""
        if self._going is not None:
            return
        name = self.query_one("#name > Input", Input)
        if self._incomplete:
            self.query_one(FormView).complain()
        elif self._asks is Asks.NAME and name.value != self._name_wanted:
            name.focus()
        elif self._asks is Asks.NOTHING and self._may_do():
            self._do()
        else:
            self.query_one("#cancel").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "cancel":
            self.action_leave()
        elif self._going is None:
            if self._may_do():
                self._do()
        elif self.undertaking.ended:
            self._try_again()
        else:
            self.action_stop()

    def _do(self) -> None:
        self.query_one("#ask").display = False
        self.query_one("#name").display = False
        self._lay_out()
        # Not a worker of this page: it goes on when the page is left.
        self._going = asyncio.create_task(self._done(), name=f"act {self.action.id}")
        self._tell()
        self.query_one("#cancel").focus()

    async def _done(self) -> None:
        await self.undertaking.do()
        works = self.undertaking.works
        if self._on_done is not None and any(work.stage is Stage.DONE for work in works):
            self._on_done()
        if self.is_attached:
            self._tell()
            return
        failed = [work for work in works if work.stage is not Stage.DONE]
        words = f"{len(works) - len(failed)} of {len(works)} done." if len(works) > 1 else ""
        if failed and failed[0].error is not None:
            words = f"{words} {failed[0].error.sentence}".strip()
        self.app.notify(
            words or self.action.done,
            title=heading(self.undertaking),
            severity="warning" if failed else "information",
            markup=False,
        )

    def action_stop(self) -> None:
        """Begin nothing more, and follow no longer."""
        if self._going is not None and not self.undertaking.ended:
            self.undertaking.cancel()

    def _try_again(self) -> None:
        """Read what failed anew, and offer it once more."""
        self._going = None
        self.undertaking.again()
        if not self.undertaking.works:
            self.dismiss()
            return
        self._said, self._previews = (), {}
        self._tell()
        self._read()

    def action_leave(self) -> None:
        """Do nothing; what runs goes on, and its end is told."""
        if self._going is not None and not self.undertaking.ended:
            self.app.notify("It goes on; its end will be told.", title=heading(self.undertaking), markup=False)
        cast("KtuiApp", self.app).release_keys()
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to stop while it goes on; until then the key is the form's."""
        return action != "stop" or (self._going is not None and not self.undertaking.ended)

    def action_copy(self) -> None:
        """Copy the kubectl lines."""
        if lines := self._kubectl():
            copy_to_clipboard(self.app, CopyText("k", "kubectl line", "\n".join(lines)))

    def action_scroll(self, by: int) -> None:
        """Turn a page of what would happen."""
        told = self.query_one("#told")
        told.scroll_relative(y=by * max(1, told.size.height - 1), animate=False)

    def _kubectl(self) -> list[str]:
        if self._incomplete:
            return []
        context = self.undertaking.place.context
        steps = [step for work in self.undertaking.works for step in work.steps]
        return [shell_line(step.kubectl, context, step.stdin) for step in steps if step.kubectl]

    # -- words -------------------------------------------------------------------------------

    def _changed(self) -> None:
        """Something went on; many targets tell much, and it is shown once a frame."""
        if not self._tell_soon and self.is_attached:
            self._tell_soon = True
            self.call_later(self._tell_changes)

    def _tell_changes(self) -> None:
        self._tell_soon = False
        self._tell()

    @property
    def _incomplete(self) -> bool:
        """Whether nothing can be planned from what is filled in."""
        form = self.query(FormView)
        return bool(form and form.first().wrong)

    def _tell(self) -> None:
        if not self.is_attached:
            return
        room = self.query_one("#told").size.width
        words = self._words(room) if self._going is None else progress_words(self.undertaking, room)
        self.query_one(Told).tell(*words)
        self.query_one("#told").display = bool(words)
        self.query_one("#ask").set_class(bool(words), "apart")
        self._tell_buttons(self.query_one("#do", Button), self.query_one("#cancel", Button))
        asks = self._asks is not Asks.NOTHING if self.undertaking.targets else False
        self.set_class(asks, "-destructive")
        self.call_after_refresh(self._fit)

    def _words(self, room: int) -> Words:
        if self._trouble is not None:
            words = said_words([Said(told(self._trouble), Tone.FAILED)])
            return [*words, ("ktui keeps trying.\n", "$faint")] if may_pass(self._trouble) else words
        if not self.query(FormView):
            return [("Reading …", "$faint")]
        denied = self._denied
        said = [Said(f"{denied.why} {denied.ask}", Tone.FAILED)] if denied is not None else []
        if self._hidden:
            are = "is" if self._hidden == 1 else "are"
            said.append(Said(f"{self._hidden} of these {are} hidden by the filter.", Tone.WARNING))
        if self._incomplete:
            return [*said_words(said), ("What would happen stands here when the form is filled in.", "$faint")]
        shown = preview_words(
            self.undertaking, self._said, self._previews, self._kubectl(), checked=self._checked, room=room
        )
        return [*said_words(said), *shown]

    def _tell_buttons(self, do: Button, cancel: Button) -> None:
        undertaking = self.undertaking
        if self._going is None:
            looks = self._only_looks and self.action.follow is None
            cancel.label, do.label = "Close" if looks else "Cancel", self.action.title
            do.display = not looks
            do.disabled = not self._may_do()
        elif undertaking.ended:
            failed = [work for work in undertaking.works if work.stage is not Stage.DONE]
            conflict = any(isinstance(work.error, Conflict) for work in failed)
            cancel.label, do.label = "Close", "Read again" if conflict else "Try again"
            do.display = bool(failed)
            do.disabled = False
        else:
            cancel.label, do.label = "Leave running", "Stop"
            do.disabled = undertaking.cancelled
        if (labels := (str(do.label), str(cancel.label))) != self._labels:
            # A label alone makes no button wider.
            self._labels = labels
            do.refresh(layout=True)
            cancel.refresh(layout=True)
        if do.disabled and do.has_focus:
            cancel.focus()

    def _hints(self) -> list[str]:
        """What keys do, the most important last."""
        if self._going is not None and not self.undertaking.ended:
            return ["ctrl+x stops what has not begun", "esc leaves"]
        told = self.query_one("#told")
        if self._going is not None:
            return [*(["U undoes it afterwards"] if self._can_be_undone else []), "esc closes"]
        hints = ["ctrl+y copies the kubectl line"] if self._kubectl() else []
        hints += ["pgdn shows more"] if told.display and told.virtual_size.height > told.size.height else []
        return [*hints, "esc closes" if self._only_looks else "esc cancels"]

    @property
    def _can_be_undone(self) -> bool:
        done = [work for work in self.undertaking.works if work.stage is Stage.DONE]
        return self.action.id != "undo" and any(
            step.undone is not Undone.NEVER and step.undone is not None for work in done for step in work.steps
        )

    # -- how large it is ---------------------------------------------------------------------

    def _lay_out(self) -> None:
        """The form beside what would happen, where it is long and there is room."""
        asked = sum(row.display for row in self.query(FieldRow))
        long = asked >= LONG_FORM and self._going is None
        self.set_class(long and self.app.size.width >= SIDE_BY_SIDE, "-beside")

    def _fit(self) -> None:
        """Divide the height between what is asked and what would happen."""
        if not self.is_attached:
            return
        ask, told, name = self.query_one("#ask"), self.query_one("#told"), self.query_one("#name")
        room = int(self.app.size.height * TALLEST) - FRAME - (NAME if name.display else 0)
        if self.has_class("-beside") or not ask.display:
            self._shorten(ask, room)
            told.styles.max_height = max(LEAST, room)
        else:
            self._shorten(ask, room - 1 - LEAST)
            told.styles.max_height = max(LEAST, room - 1 - min(ask.virtual_size.height, room - 1 - LEAST))
        self.call_after_refresh(self._hint)

    def _hint(self) -> None:
        """Say what keys do, as far as there is room."""
        if not self.is_attached:
            return
        hints, hint = self._hints(), self.query_one("#hint", Label)
        while hints[1:] and len("   ".join(hints)) > hint.size.width:
            hints.pop(0)
        if (text := "   ".join(hints)) != str(hint.content):
            hint.update(text)

    def _shorten(self, ask: Widget, most: int) -> None:
        """Leave as many lines to the longest text that can be typed that all fields are in sight."""
        ask.styles.max_height = max(LEAST, most)
        areas = [row for row in self.query(FieldRow) if row.display and isinstance(row.control, Lines)]
        if not areas:
            return
        longest = max(areas, key=lambda row: row.lines)
        control = longest.control
        others = ask.virtual_size.height - control.size.height
        control.styles.height = max(2, min(longest.lines, most - others))

    def on_resize(self, event: events.Resize) -> None:
        """Lay it out anew."""
        self._lay_out()
        self._tell()


def _lines(facts: Sequence[str]) -> str:
    return "\n".join(map(clean, facts))


def _kept(previews: Mapping[Work, Sequence[Preview]]) -> list[Said]:
    """Who will take the changes back; a deletion weighs that itself."""
    found: dict[str, Said] = {}
    for preview in (preview for own in previews.values() for preview in own):
        before, after, item = preview.before, preview.after, preview.step.target.item
        if before is not None and after is not None and item is not None:
            changed = [change.path for change in difference(before, after)]
            for said in keepers(item, changed) if changed else ():
                found[said.text] = said
    return list(found.values())
