"""Acting: the part of a page that lets actions be done to the objects on it.

What can be done comes from the registry of actions, which is imported after the first frame; no key of an action is
named here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, cast

from textual import events, on, work
from textual.actions import parse
from textual.binding import Binding, BindingsMap
from textual.screen import Screen

from ktui.kinds.kind import Kind
from ktui.kube.session import Session

if TYPE_CHECKING:
    from ktui.actions.action import Action, Target
    from ktui.app import KtuiApp
    from ktui.explorer import Explorer


class Chosen(NamedTuple):
    """What an action is to be done to.

    Attributes:
        targets: the objects.
        hidden: how many of them a filter hides.
        done: called when something was done.
    """

    targets: Sequence[Target]
    hidden: int = 0
    done: Callable[[], None] | None = None


class Acting(Screen[None]):
    """A page on whose objects actions can be done."""

    session: Session
    _actions: Sequence[Action] = ()

    @property
    def explorer(self) -> Explorer:
        """The context, its session and the ways to change them."""
        return cast("KtuiApp", self.app).explorer

    def acted_on(self) -> Kind | None:
        """The kind of the objects that an action would be done to; None when there are none."""
        raise NotImplementedError

    def chosen(self) -> Chosen:
        """The objects that an action would be done to."""
        raise NotImplementedError

    @property
    def knows_actions(self) -> bool:
        """Whether the keys of actions work already."""
        return bool(self._actions)

    # -- keys --------------------------------------------------------------------------------

    @on(events.Mount)
    def _stands(self) -> None:
        """Learn what can be done, when the page stands."""
        self.call_after_refresh(self._learn_actions)

    @work(group="actions")
    async def _learn_actions(self) -> None:
        registry = await asyncio.to_thread(_import_actions)
        self._actions = registry.ACTIONS
        keys = [
            Binding(action.key, f"act('{action.id}')", action.title, show=action.footer, tooltip=action.help)
            for action in self._actions
            if action.direct
        ]
        own = self._bindings
        self._bindings = BindingsMap(keys)
        for key, bindings in own.key_to_bindings.items():
            self._bindings.key_to_bindings.setdefault(key, []).extend(bindings)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Actions are offered where their kind has them done, and dim where the user may not."""
        if action == "act":
            wanted, kind = self._action(str(parameters[0])), self.acted_on()
            if wanted is None or kind is None or not wanted.offers(kind):
                return False
            targets = self.chosen().targets
            return None if targets and self.explorer.acts.may(wanted, targets[0]) is False else True
        if action == "actions":
            return self.acted_on() is not None
        return True

    @on(events.Key)
    def _denied_key(self, event: events.Key) -> None:
        """The key of what the user may not do opens its dialog, too, which tells why not and whom to ask."""
        active = self.active_bindings.get(event.key)
        if active is not None and active.node is self and not active.enabled:
            name, parameters = parse(active.binding.action)[1:]
            if name == "act" and not cast("KtuiApp", self.app).holds_keys:
                event.stop()
                self.action_act(str(parameters[0]))

    def _action(self, wanted: str) -> Action | None:
        return next((action for action in self._actions if action.id == wanted), None)

    # -- doing -------------------------------------------------------------------------------

    def action_act(self, wanted: str) -> None:
        """Do an action to the chosen objects."""
        if (action := self._action(wanted)) is not None:
            self.act(action, self.chosen())

    def act(self, action: Action, chosen: Chosen) -> None:
        """Open the dialog of an action.

        Args:
            action: what to do.
            chosen: to what.
        """
        targets = chosen.targets
        if not targets:
            self._nothing_chosen()
            return
        if len(targets) > 1 and not action.many:
            self.notify(f"{action.title} works on one object at a time.", severity="warning")
            return
        if action.written:
            self._write_manifest(targets[0].key.namespace)
            return
        self.explorer.acts.act(action, targets, hidden=chosen.hidden, on_done=chosen.done)

    def _write_manifest(self, namespace: str) -> None:
        """Write a manifest; one of the kind that is looked at is begun with."""
        from ktui.screens.new_manifest import NewManifestScreen

        self.app.push_screen(NewManifestScreen(self.explorer.acts, namespace, kind=self.acted_on()))

    def action_edit(self, external: bool = False) -> None:
        """Change the manifest of the object.

        Args:
            external: in the person's own editor.
        """
        from ktui.screens.edit import EditScreen

        targets = self.chosen().targets
        if not targets:
            self._nothing_chosen()
            return
        if len(targets) > 1:
            self.notify("Edit works on one object at a time.", severity="warning")
            return
        self.app.push_screen(EditScreen(self.explorer.acts, targets[0].kind, targets[0].key, external=external))

    def under_cursor(self) -> Target | None:
        """The object under the cursor, whatever is marked; None when there is none."""
        return next(iter(self.chosen().targets), None)

    def action_compare(self) -> None:
        """Compare two marked objects with each other; else the one under the cursor with what was applied last."""
        from ktui.screens.compare import compare_last_applied, compare_two

        targets, target, place = self.chosen().targets, self.under_cursor(), self.explorer.acts.place
        if len(targets) == 2:
            self.app.push_screen(compare_two(place, *targets))
        elif len(targets) > 2:
            self.notify(f"{len(targets)} are marked, and two can be compared.", severity="warning")
        elif target is None:
            self._nothing_chosen()
        else:
            self.app.push_screen(compare_last_applied(place, target.kind, target.key))

    def action_actions(self) -> None:
        """All that can be done to the chosen objects."""
        from ktui.screens.actions_menu import ActionsMenu

        kind, chosen = self.acted_on(), self.chosen()
        if not chosen.targets:
            self._nothing_chosen()
        elif kind is not None:
            offered = [action for action in self._actions if not action.creates and action.offers(kind)]
            self.app.push_screen(ActionsMenu(self.explorer.acts, offered, chosen), self._picked(chosen))

    def _nothing_chosen(self) -> None:
        self.notify("There is no object under the cursor. Press n to make a new one.", severity="warning")

    def action_new(self) -> None:
        """Make something new."""
        from ktui.actions.action import Target
        from ktui.kinds.names import ObjectKey
        from ktui.kinds.namespaces import NAMESPACES
        from ktui.screens.actions_menu import ActionsMenu

        namespaces = self.explorer.namespaces
        where = ObjectKey(namespaces[0] if len(namespaces) == 1 else "", "")
        chosen = Chosen((Target(NAMESPACES, where),))
        offered = [action for action in self._actions if action.creates]
        self.app.push_screen(ActionsMenu(self.explorer.acts, offered, chosen), self._picked(chosen))

    def _picked(self, chosen: Chosen) -> Callable[[str | None], None]:
        def act(wanted: str | None) -> None:
            if wanted and (action := self._action(wanted)) is not None:
                self.act(action, chosen)

        return act

    def action_undo(self) -> None:
        """Undo one of the last changes."""
        self.explorer.acts.undo()


def new_batch() -> str:
    """What the writes of one action have in common in the journal."""
    return secrets.token_hex(6)


def _import_actions() -> ModuleType:
    """All actions, and what does them."""
    import_module("ktui.acts")
    return import_module("ktui.actions.registry")
