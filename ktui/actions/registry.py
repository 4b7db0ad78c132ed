"""All actions, in the order of menus. A new one is a file of this folder and a line here."""

from __future__ import annotations

from ktui.actions.action import Action
from ktui.kinds.kind import Kind

ACTIONS: tuple[Action, ...] = ()


def actions_for(kind: Kind) -> list[Action]:
    """What can be done to objects of a kind, in the order of menus; who may is another question."""
    return [action for action in ACTIONS if not action.creates and action.offers(kind)]


def creations() -> list[Action]:
    """What can be made from nothing."""
    return [action for action in ACTIONS if action.creates]
