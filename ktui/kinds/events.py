"""Events: how `kubectl get events -o wide` prints them."""

from __future__ import annotations

from ktui.kinds.column import AgeColumn, Column, KeyColumn, Role
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR_EVENTS
from ktui.kinds.objects import Object, Struct
from ktui.kinds.time import epoch
from ktui.kinds.tone import Tone


class InvolvedObject(Struct):
    """core.ObjectReference: what an event is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class EventSource(Struct):
    """core.EventSource: who reported, in the older form."""

    component: str = ""
    host: str = ""


class EventSeries(Struct):
    """core.EventSeries: how often it happened, in the newer form."""

    count: int = 0
    last_observed_time: str | None = None


class Event(Object):
    """core/v1 Event."""

    involved_object: InvolvedObject = InvolvedObject()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 0
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: EventSeries | None = None
    source: EventSource = EventSource()
    reporting_component: str = ""
    reporting_instance: str = ""


def first_seen(event: Event) -> float | None:
    """Epoch seconds at which it happened first."""
    return epoch(event.first_timestamp or event.event_time or "")


def last_seen(event: Event) -> float | None:
    """Epoch seconds at which it happened last."""
    if event.series is not None:
        return epoch(event.series.last_observed_time or "")
    return epoch(event.last_timestamp) if event.last_timestamp else first_seen(event)


def times(event: Event) -> int:
    """How often it happened."""
    return event.series.count if event.series is not None else event.count or 1


def tone(event: Event) -> Tone:
    """Warnings stand out; what is Normal says nothing about health."""
    return tone_of_type(event.type)


def tone_of_type(text: str) -> Tone:
    """The tone of an event whose TYPE is `text`."""
    return Tone.WARNING if text == "Warning" else Tone.PLAIN


def _target(event: Event) -> str:
    kind, name = event.involved_object.kind.lower(), event.involved_object.name
    return f"{kind}/{name}" if name else kind


def _source(event: Event) -> str:
    component = event.source.component or event.reporting_component
    host = event.source.host or event.reporting_instance
    return f"{component}, {host}" if host else component


EVENTS = Kind(
    gvr=GVR_EVENTS,
    kind="Event",
    namespaced=True,
    view=Event,
    short=("ev",),
    columns=(
        AgeColumn(name="LAST SEEN", since=last_seen, role=Role.SECONDARY, right=True),
        Column(name="TYPE", text=lambda event: event.type, tone=tone, tone_of_text=tone_of_type),
        Column(name="REASON", text=lambda event: event.reason),
        Column(name="OBJECT", text=_target, role=Role.NAME),
        Column(name="SUBOBJECT", text=lambda event: event.involved_object.field_path, wide=True),
        Column(name="SOURCE", text=_source, wide=True, role=Role.SECONDARY),
        Column(name="MESSAGE", text=lambda event: event.message.strip()),
        AgeColumn(name="FIRST SEEN", since=first_seen, wide=True, role=Role.SECONDARY, right=True),
        Column(name="COUNT", text=times, wide=True, right=True),
        KeyColumn(name="NAME", part=1, wide=True, role=Role.SECONDARY),
    ),
    health=tone,
)
