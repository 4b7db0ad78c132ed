"""ActionsMenu: everything that can be done to an object, with its key, and why not where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from ktui.actions.action import Action, Cluster, Target
from ktui.actions.kubectl import shell_line
from ktui.kinds.text import clean
from ktui.kube.errors import KtuiError
from ktui.screens.acting import Chosen
from ktui.widgets.cells import fit
from ktui.widgets.failures import FailuresSaid

if TYPE_CHECKING:
    from ktui.acts import Acts

KEY, TITLE = 8, 22
WIDTH = 112


class ActionsMenu(FailuresSaid, ModalScreen[str | None]):
    """Lists actions; a key, or Enter, chooses one and dismisses with its id.

    Args:
        acts: who may do what.
        actions: what is offered, in their order.
        chosen: to what it would be done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
    ]
    DEFAULT_CSS = """
    ActionsMenu {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 112; max-width: 100%; height: auto; max-height: 96%;
            background: $bar; border: round $primary; border-title-color: $primary; padding: 0 1;
        }
        & OptionList {
            border: none; height: auto; background: $bar; padding: 0; scrollbar-size-vertical: 1;
            &:focus { background-tint: $bar 0%; }
            & > .option-list--option-highlighted { background: $row-cursor; color: $bright; }
        }
        & Label { width: 100%; height: auto; max-height: 4; color: $faint; margin-top: 1; }
    }
    """

    def __init__(self, acts: Acts, actions: Sequence[Action], chosen: Chosen) -> None:
        super().__init__()
        self._acts = acts
        self._actions = actions
        self._chosen = chosen
        self._why: dict[str, str] = {}
        self._read: dict[Target, Target] = {}

    def compose(self) -> ComposeResult:
        """A list, and below it the kubectl line of what is highlighted."""
        targets = self._chosen.targets
        with Vertical() as box:
            new = all(action.creates for action in self._actions)
            title = "New" if new else targets[0].said if len(targets) == 1 else f"{len(targets)} objects"
            box.border_title = Content(clean(title))
            yield OptionList(markup=False, compact=True)
            yield Label("", markup=False)

    def on_mount(self) -> None:
        """List them, and ask what may be done."""
        self._list()
        self._ask()

    def _list(self) -> None:
        options = self.query_one(OptionList)
        place = options.highlighted or 0
        options.clear_options()
        options.add_options([Option(self._line(action), id=action.id) for action in self._actions])
        if self._actions:
            options.highlighted = place

    def _line(self, action: Action) -> Content:
        room = max(10, min(WIDTH, self.app.size.width) - KEY - TITLE - 8)
        key = self.app.get_key_display(Binding(action.key, "", action.title))
        why = self._why.get(action.id, "")
        if why:
            return Content.assemble((f" {fit(key, KEY)}{fit(action.title, TITLE)} {fit(clean(why), room)}", "$faint"))
        return Content.assemble(
            (f" {fit(key, KEY)}", "bold $key"),
            f"{fit(action.title, TITLE)} ",
            (fit(action.help, room), "$quiet"),
        )

    @work(group="ask", exit_on_error=False)
    async def _ask(self) -> None:
        """Find out why some of it cannot be done."""
        several = len(self._chosen.targets) > 1
        for action in self._actions:
            if several and not action.many:
                self._why[action.id] = "works on one object at a time"
        self._list()
        for action in self._actions:
            if action.id not in self._why:
                verdict = await self._acts.verdict(action, self._chosen.targets)
                if verdict.allowed is False:
                    self._why[action.id] = f"{verdict.why} {verdict.ask}"
        await self._ask_object()
        self._list()

    async def _ask_object(self) -> None:
        """Find out what makes no sense for the object as it is."""
        target, *others = self._chosen.targets
        if others or all(action.creates for action in self._actions):
            return
        try:
            target = await self._live(self._acts.place, self._actions[0], target)
        except KtuiError:
            # The dialog of whatever is chosen says it.
            return
        for action in self._actions:
            if why := action.ready(target):
                self._why.setdefault(action.id, why)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what it is called in kubectl."""
        self._explain(self._actions[event.option_index])

    @work(group="explain", exclusive=True, exit_on_error=False)
    async def _explain(self, action: Action) -> None:
        label = self.query_one(Label)
        why = self._why.get(action.id, "")
        label.update(clean(why or action.help))
        place = self._acts.place
        try:
            target = await self._live(place, action, self._chosen.targets[0])
            form = await action.form(place, [target])
            steps = action.plan(target, form.start())
        except KtuiError as error:
            if not action.creates:
                label.update(clean(f"{error.sentence} {error.next_step}".strip()))
            return
        if steps and steps[0].kubectl and not why:
            line = shell_line(steps[0].kubectl, place.context)
            label.update(Content.assemble(f"{action.help}\n", ("$ ", "$faint"), (clean(line), "$quiet")))

    async def _live(self, place: Cluster, action: Action, target: Target) -> Target:
        if action.creates:
            return target
        if target not in self._read:
            self._read[target] = target.read(await place.get(target.kind.gvr, target.key))
        return self._read[target]

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click chooses."""
        self.dismiss(event.option_id)

    def on_key(self, event: events.Key) -> None:
        """An action's key chooses it."""
        for action in self._actions:
            if event.key in action.key.split(","):
                event.stop()
                event.prevent_default()
                self.dismiss(action.id)
                return
