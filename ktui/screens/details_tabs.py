"""The tabs of the Details screen: each shows one side of an object, and asks for nothing while nobody looks at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer

from ktui.kinds.events import EVENTS, Event
from ktui.kinds.manifest import is_secret, manifest
from ktui.kinds.names import GVR, GVR_ENDPOINT_SLICES, GVR_PODS, GVR_REPLICASETS
from ktui.kinds.overview import Line, Section, overview
from ktui.kinds.references import owned, searches
from ktui.kinds.tone import Tone
from ktui.kube.errors import KtuiError
from ktui.kube.listing import list_objects
from ktui.kube.live_object import LiveObject
from ktui.kube.relatives import Relatives
from ktui.kube.session import Session, View
from ktui.kube.state import complete
from ktui.widgets.failures import FailuresSaid
from ktui.widgets.freshness import sentence
from ktui.widgets.overview_view import OverviewView
from ktui.widgets.relations_view import RelationsView
from ktui.widgets.resource_table import ResourceTable
from ktui.widgets.sort import Sort
from ktui.widgets.table_model import TableModel
from ktui.widgets.text_view import TextView
from ktui.widgets.yaml_view import YamlView

# Relatives are asked for again when the object changed, but not more often than this.
RELATIVES_EVERY = 3.0
# Writing YAML keeps the event loop; what was larger than this the last time is written in a thread.
SMALL_TEXT = 64_000
EVENT_COLUMNS = ("LAST SEEN", "TYPE", "REASON", "COUNT", "MESSAGE", "SOURCE")
NO_EVENTS = "No events in the last hour: Kubernetes keeps them for one hour."


class _Beside(NamedTuple):
    """What completes an overview.

    Attributes:
        gvr: where it is.
        kind: what `overview` calls it.
        every: seconds after which it is asked for again, though the object itself has not changed.
    """

    gvr: GVR
    kind: str
    every: float


# By the object's kind; found by the object's own searches. A deployment changes whenever its replica sets do.
_BESIDE = {
    "Deployment": _Beside(GVR_REPLICASETS, "ReplicaSet", float("inf")),
    "Service": _Beside(GVR_ENDPOINT_SLICES, "EndpointSlice", 10.0),
    "Node": _Beside(GVR_PODS, "Pod", 60.0),
}


class OverviewTab(FailuresSaid, OverviewView):
    """What `kubectl describe` says, arranged for reading.

    Args:
        session: where the object is.
        live: the object.
        now: epoch seconds.
    """

    def __init__(self, session: Session, live: LiveObject, now: Callable[[], float]) -> None:
        super().__init__(id="overview")
        self._session = session
        self._live = live
        self._now = now
        self._beside: dict[str, list[dict[str, Any]]] = {}
        self._completed = ""
        self._completed_at = 0.0

    def tell(self) -> None:
        """Show the object as it is known now."""
        live = self._live
        if live.item is None:
            self.show_sections(_why_nothing(live))
            return
        self._complete(live.item, live.version)
        self.show_sections(overview(live.kind.kind, live.item, self._now(), self._beside))

    def _complete(self, item: dict[str, Any], version: str) -> None:
        """Ask for what stands in other objects: a deployment's replica sets, a service's endpoints, a node's pods."""
        beside = _BESIDE.get(self._live.kind.kind)
        if beside is None or self._live.kind.gvr.group not in ("", "apps"):
            return
        now = time.monotonic()
        if version != self._completed or now - self._completed_at >= beside.every:
            self._completed, self._completed_at = version, now
            self._ask(item, beside)

    @work(group="beside", exclusive=True, exit_on_error=False)
    async def _ask(self, item: dict[str, Any], beside: _Beside) -> None:
        client, wanted = self._session.client, (beside.gvr.group, beside.kind)
        found = [search for search in (*owned(item), *searches(item)) if (search.group, search.kind) == wanted]
        if client is None or not found:
            return
        where = found[0]
        try:
            raws = await list_objects(client, beside.gvr, where.namespace, labels=where.labels, fields=where.fields)
        except KtuiError:
            # The overview is complete without; the tab Relations says what may not be read.
            return
        self._beside = {beside.kind: [msgspec.json.decode(raw) for raw in raws]}
        self.tell()


class YamlTab(YamlView):
    """The object as YAML.

    Args:
        live: the object.
    """

    DEFAULT_CSS = "YamlTab { padding-left: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "screen.search", "Search", key_display="/", tooltip="Look for a text; Esc ends it."),
        Binding("n", "next_match(1)", "Next", show=False, tooltip="The next place where the text stands."),
        Binding("N", "next_match(-1)", "Previous", show=False, tooltip="The place before."),
        Binding("m", "managed_fields", "Managed fields", tooltip="Show who owns which field, or fold it again."),
        Binding("x", "secrets", "Show values", tooltip="Show a secret's values, decoded, or mask them again."),
    ]

    def __init__(self, live: LiveObject) -> None:
        super().__init__(id="yaml")
        self.secrets = False
        self._live = live
        self._managed_fields = False
        self._shown: tuple[object, ...] = ()
        self._length = 0

    def tell(self) -> None:
        """Show the object as it is known now."""
        live = self._live
        if live.item is None:
            self.show_text("\n".join(f"# {line.value}" for line in _why_nothing(live)[0].lines))
            return
        shown = (live.uid, live.version, self._managed_fields, self.secrets)
        if shown != self._shown:
            self._shown = shown
            # Of a first text, what Python says of the object is about as long as what YAML will say.
            if (self._length or len(str(live.item))) <= SMALL_TEXT:
                self._say(self._text(live.item))
            else:
                self._write(live.item)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only secrets have values to show, only a search has matches."""
        if action == "secrets":
            return self._live.item is not None and is_secret(self._live.item)
        return self.searching if action == "next_match" else True

    def action_managed_fields(self) -> None:
        """Unfold metadata.managedFields, or fold it again."""
        self._managed_fields = not self._managed_fields
        self.tell()

    def action_secrets(self) -> None:
        """Show the values of this secret, or mask them again."""
        self.secrets = not self.secrets
        self.tell()

    def action_next_match(self, by: int) -> None:
        """Go to another match."""
        self.next_match(by)

    @property
    def words(self) -> str:
        """What is unusual about how the object is shown."""
        item = self._live.item
        masked = item is not None and is_secret(item) and not self.secrets
        return "   ".join(
            words
            for words, holds in (
                ("values masked", masked),
                ("values shown", self.secrets),
                ("managed fields shown", self._managed_fields),
                ("wrapped", self.wrapped),
            )
            if holds
        )

    @work(group="yaml", exclusive=True, exit_on_error=False)
    async def _write(self, item: dict[str, Any]) -> None:
        self._say(await asyncio.to_thread(self._text, item))

    def _text(self, item: dict[str, Any]) -> str:
        return manifest(item, managed_fields=self._managed_fields, secrets=self.secrets)

    def _say(self, text: str) -> None:
        self._length = len(text)
        self.show_text(text)


class EventsTab(Vertical):
    """The events about the object, live, newest first, with the whole message of the one under the cursor.

    Args:
        session: where the object is.
        live: the object.
        now: epoch seconds.
    """

    DEFAULT_CSS = """
    EventsTab {
        & > TextView { height: 4; border-top: solid $border-blurred; padding: 0 1; }
    }
    """

    def __init__(self, session: Session, live: LiveObject, now: Callable[[], float]) -> None:
        super().__init__(id="events")
        self._session = session
        self._live = live
        self._now = now
        self._view: View | None = None

    def compose(self) -> ComposeResult:
        """A place for the message; the table comes when somebody looks."""
        message = TextView(id="message")
        message.can_focus = False
        message.wrapped = True
        yield message

    async def tell(self) -> None:
        """Look at the events from now on."""
        if self._view is None:
            kind, key = self._live.kind, self._live.key
            fields = f"involvedObject.kind={kind.kind},involvedObject.name={key.name}"
            namespaces = (key.namespace,) if key.namespace else ()
            self._view = self._session.open(EVENTS, namespaces, fields=fields)
            columns = {column.name: column for column in EVENTS.columns}
            model = TableModel(self._view.feed.store, [columns[name] for name in EVENT_COLUMNS])
            model.sort = Sort("LAST SEEN")
            self._end_listening = self._view.feed.listen(self._say)
            table = ResourceTable(model, clock=self._now)
            table.highlighted = partial(self._show_message, table)
            await self.mount(table, before=0)
        self._say()
        self.query_one(ResourceTable).focus()

    def on_unmount(self) -> None:
        """Look no longer."""
        if self._view is not None:
            self._end_listening()
            self._view.close()

    @property
    def count(self) -> int | None:
        """How many events there are; None while that is not known."""
        if self._view is None or not complete(self._view.feed.state):
            return None
        return len(self._view.feed.store)

    def _say(self) -> None:
        assert self._view is not None
        state = self._view.feed.state
        words = (NO_EVENTS,) if complete(state) else sentence(state, len(self._view.feed.store), "events")
        for table in self.query(ResourceTable):
            table.say(words)
            if complete(state):
                table.settle()

    def _show_message(self, table: ResourceTable) -> None:
        found = table.row.object if table.row is not None else None
        message = self.query_one(TextView)
        message.show_text(found.message.strip() if isinstance(found, Event) else "")
        message.scroll_to(y=0, animate=False)


class RelationsTab(FailuresSaid, RelationsView):
    """The objects that belong to the object.

    Args:
        session: where the object is.
        live: the object.
        now: epoch seconds.
    """

    def __init__(self, session: Session, live: LiveObject, now: Callable[[], float]) -> None:
        super().__init__(id="relations")
        self._session = session
        self._live = live
        self._now = now
        self._asked = ""
        self._asked_at = float("-inf")
        self._timer: Timer | None = None

    def tell(self, *, again: bool = False) -> None:
        """Ask for the relatives, when the object has changed since they were asked for.

        Args:
            again: whether or not it has.
        """
        live = self._live
        if live.item is None:
            self.show_families((), [line.value for line in _why_nothing(live)[0].lines])
            return
        if self._timer is not None or (self._asked == live.version and not again):
            return
        wait = self._asked_at + RELATIVES_EVERY - time.monotonic()
        if again or wait <= 0:
            self._ask()
        else:
            self._timer = self.set_timer(wait, self._ask)

    def _ask(self) -> None:
        self._timer = None
        if self._live.item is not None and self.display:
            self._asked, self._asked_at = self._live.version, time.monotonic()
            self._find(self._live.item)

    @work(group="relations", exclusive=True, exit_on_error=False)
    async def _find(self, item: dict[str, Any]) -> None:
        client = self._session.client
        if client is None:
            return
        if self.relative is None:
            self.show_families((), ("Looking for what belongs to it …",))
        try:
            relatives = Relatives(client, await self._session.discovery(), self._now())
            families = await relatives.of(item)
        except KtuiError as error:
            self._asked = ""
            self.show_families((), (error.sentence, error.next_step))
            return
        self.show_families(families, ("Nothing belongs to it, as far as ktui knows.",), self._live.key.namespace)


def _why_nothing(live: LiveObject) -> list[Section]:
    """What stands in the place of an object that has not come yet."""
    if live.trouble is None:
        return [Section(live.kind.kind, (Line("", "Fetching …"),))]
    lines = [Line("", live.trouble.sentence, Tone.FAILED)]
    if live.trouble.next_step:
        lines.append(Line("", live.trouble.next_step))
    lines.append(Line("", "ktui keeps trying; ctrl+r tries at once."))
    return [Section(live.kind.kind, tuple(lines))]
