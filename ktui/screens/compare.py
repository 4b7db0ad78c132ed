"""CompareScreen: what differs between two objects; or between an object and what `kubectl apply` was given last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from ktui.actions.action import Cluster, Target
from ktui.kinds.kind import Kind
from ktui.kinds.manifest import LAST_APPLIED, is_secret
from ktui.kinds.names import ObjectKey
from ktui.kinds.text import clean
from ktui.kube.errors import KtuiError
from ktui.manifests.compared import only_fields_of, texts
from ktui.widgets.bar import Bar, Part
from ktui.widgets.cells import fit
from ktui.widgets.difference_view import BETWEEN, Difference, DifferenceView
from ktui.widgets.failures import FailuresSaid
from ktui.widgets.key_bar import KeyBar

JsonObject = dict[str, Any]


class Side(NamedTuple):
    """One of two things that are compared.

    Attributes:
        title: what it is, a few words. Not cleaned.
        value: the object; None when it has not been read yet.
    """

    title: str
    value: JsonObject | None = None


Read = Callable[[], Awaitable[tuple[JsonObject, JsonObject]]]
"""Reads both sides. Raises KtuiError when one cannot be had."""


class CompareScreen(FailuresSaid, Screen[None]):
    """Two objects as YAML.

    Args:
        left: one.
        right: the other.
        about: what is compared, for the title. Not cleaned.
        read: reads them, at once if they have no values yet, and again at ctrl+r; None when they stay as they are.
        applied: whether the left one is what was applied, of which the other one is what the server made.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "status", "Status", tooltip="Compare the status, too, or not."),
        Binding("f", "fields", "Applied fields", tooltip="Compare only the fields that were applied, or all."),
        Binding("ctrl+r", "again", "Read again", show=False, tooltip="Read both again."),
        Binding("escape,q", "dismiss", "Back"),
    ]
    DEFAULT_CSS = """
    CompareScreen {
        background: $background; layout: vertical;
        & > #names { background: $background; }
        & > #notice { display: none; height: auto; padding: 0 1; color: $warning; }
        & > #notice.-said { display: block; }
        & > DifferenceView { height: 1fr; }
    }
    """

    def __init__(self, left: Side, right: Side, *, about: str = "", read: Read | None = None, applied: bool = False):
        super().__init__()
        self._sides = (left, right)
        self._about = about
        self._read = read
        self._applied = applied
        self._status = False
        self._only_applied = False
        self._place = (0, 0)
        self._compared = False
        self._trouble: KtuiError | None = None

    @property
    def view(self) -> DifferenceView:
        """The two texts."""
        return self.query_one(DifferenceView)

    def compose(self) -> ComposeResult:
        """Title, what stands on which side, the difference, keys."""
        yield Bar(id="title")
        yield Bar(id="names")
        yield Static(id="notice", markup=False)
        yield DifferenceView()
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Compare them, or read them first."""
        self.view.focus()
        self._tell()
        if all(side.value is not None for side in self._sides):
            self._compare()
        else:
            self.action_again()

    def on_resize(self) -> None:
        """The names stand above their sides."""
        self.call_after_refresh(self._tell)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What was applied is known of one that was applied."""
        if action == "fields":
            return self._applied
        return self._read is not None if action == "again" else True

    # -- what is compared --------------------------------------------------------------------

    @work(group="read", exclusive=True, exit_on_error=False)
    async def action_again(self) -> None:
        """Read both; what was read before stays when that fails."""
        if self._read is None:
            return
        try:
            found = await self._read()
        except KtuiError as error:
            self._trouble = error
        else:
            self._trouble = None
            self._sides = tuple(side._replace(value=value) for side, value in zip(self._sides, found, strict=True))  # type: ignore[assignment]
            self._compare()
        self._tell()

    @work(group="compare", exclusive=True, exit_on_error=False)
    async def _compare(self) -> None:
        left, right = (side.value for side in self._sides)
        if left is None or right is None:
            return
        found = await asyncio.to_thread(_difference, left, right, self._status, self._only_applied)
        self._compared = True
        self.view.show_difference(found)
        self._place = (self._place[0], len(found.blocks))
        self._tell()

    def action_status(self) -> None:
        """Compare the status, too, or not."""
        self._status = not self._status
        self._compare()

    def action_fields(self) -> None:
        """Compare only what was applied, or everything."""
        self._only_applied = not self._only_applied
        self._compare()

    # -- words -------------------------------------------------------------------------------

    def on_difference_view_moved(self, event: DifferenceView.Moved) -> None:
        """Another difference is looked at."""
        self._place = (event.place, event.count)
        self._tell()

    def _tell(self) -> None:
        if not self.is_attached:
            return
        left = [Part(" Compare ", "badge"), Part(f"  {clean(self._about)}", "strong")]
        if self._only_applied:
            left.append(Part("  only what was applied", "dim"))
        left.append(Part("  with status" if self._status else "", "dim"))
        self.query_one("#title", Bar).show(left, [self._count(), Part(" ")])
        self.query_one("#names", Bar).show(self._names())
        notice = self.query_one("#notice", Static)
        notice.set_class(self._trouble is not None, "-said")
        if self._trouble is not None:
            old = " What is shown was read before." if self._compared else ""
            notice.update(clean(f"▲ {self._trouble.sentence} {self._trouble.next_step}{old}"))

    def _count(self) -> Part:
        place, count = self._place
        if not self._compared:
            return Part("" if self._trouble is not None else "reading …", "dim")
        if not count:
            return Part("nothing differs", "good")
        many = "1 difference" if count == 1 else f"{count:,} differences"
        return Part(f"{place:,} of {many}" if place else many, "key")

    def _names(self) -> Sequence[Part]:
        left, right = (clean(side.title) for side in self._sides)
        if not self.view.beside:
            return [Part(" - ", "failed"), Part(left, "text"), Part("   + ", "good"), Part(right, "text")]
        half = max(1, (self.size.width - 1 - len(BETWEEN)) // 2 - 2)
        return [Part("- ", "failed"), Part(fit(left, half), "text"), Part(BETWEEN + "+ ", "good"), Part(right, "text")]


def _difference(left: JsonObject, right: JsonObject, status: bool, only_applied: bool) -> Difference:
    if only_applied:
        right = only_fields_of(left, right)
    return Difference.of(*texts(left, right, ("left", "right"), status=status))


# -- ways to it ------------------------------------------------------------------------------------


def compare_two(cluster: Cluster, one: Target, other: Target) -> CompareScreen:
    """The page that compares two objects of a kind.

    Args:
        cluster: where they are read.
        one: the left one.
        other: the right one.
    """

    async def read() -> tuple[JsonObject, JsonObject]:
        found = await asyncio.gather(*(cluster.get(target.kind.gvr, target.key) for target in (one, other)))
        return found[0], found[1]

    left, right = Side(str(one.key)), Side(str(other.key))
    return CompareScreen(left, right, about=f"two {one.kind.title.lower()}", read=read)


def compare_last_applied(cluster: Cluster, kind: Kind, key: ObjectKey) -> CompareScreen:
    """The page that compares an object with what `kubectl apply` was given last.

    Args:
        cluster: where it is read.
        kind: its kind.
        key: its namespace and name.
    """

    async def read() -> tuple[JsonObject, JsonObject]:
        live = await cluster.get(kind.gvr, key)
        return last_applied(live, f"{kind.singular} {key}"), live

    left, right = Side("applied last"), Side("on the server")
    return CompareScreen(left, right, about=f"{kind.singular} {key}", read=read, applied=True)


def last_applied(item: JsonObject, called: str = "The object") -> JsonObject:
    """What `kubectl apply` was given last.

    Args:
        item: the whole object.
        called: how it is called in a sentence.

    Raises:
        KtuiError: nothing is kept of it, or what is kept is no object.
    """
    notes = (item.get("metadata") or {}).get("annotations")
    text = notes.get(LAST_APPLIED) if isinstance(notes, dict) else None
    if text is None:
        raise KtuiError(
            f"{called} was not applied with kubectl apply, which keeps what it was given.",
            "Mark two objects with space to compare them with each other.",
        )
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, TypeError):
        found = None
    if not isinstance(found, dict):
        raise KtuiError(f"What is kept of {called} as applied last is no object.", f"Look at {LAST_APPLIED}.")
    if is_secret(item):
        # Whatever it says of itself, it is a copy of a secret.
        found |= {"apiVersion": item["apiVersion"], "kind": item["kind"]}
    return found
