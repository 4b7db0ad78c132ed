"""Objects as bytes: whole, as a row of a Table, or their metadata alone; single, in lists, in watch events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ktui.demo.accept import Form
from ktui.demo.resources import Resource
from ktui.demo.tables import printer_of

Object = dict[str, Any]

encode = msgspec.json.Encoder().encode
INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


class Representation:
    """One resource in one accepted form.

    Args:
        resource: whose objects.
        form: as negotiated.
        include: what a Table's rows carry: "None", "Metadata" or "Object".
        now: seconds since the epoch, for ages in cells.
    """

    def __init__(self, resource: Resource, form: Form, include: str, now: float) -> None:
        self.resource = resource
        self.form = form
        self.include = include
        self._now = now
        self._meta_version = f"meta.k8s.io/{form.version}"
        # Where cells come from is looked up only for Tables.
        self._printer = printer_of(resource) if form.shape == "Table" else None

    def single(self, obj: Object) -> bytes:
        """The answer to a get or a write."""
        if self.form.shape == "Table":
            return encode(self._table([obj], obj["metadata"].get("resourceVersion", ""), columns=True))
        if self.form.shape:
            return encode(self._partial(obj))
        return encode(obj)

    def item(self, obj: Object) -> bytes:
        """The object inside a list."""
        if self.form.shape == "Table":
            return encode(self._row(obj))
        if self.form.shape:
            return encode(self._partial(obj))
        if self.resource.custom is None and self.resource.stored:
            # Lists of built-in kinds do not repeat the kind in each item.
            obj = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
        return encode(obj)

    def listing(self, items: Iterable[bytes], metadata: dict[str, Any]) -> bytes:
        """A list of what `item` made.

        Args:
            items: encoded items.
            metadata: resourceVersion, and continue and remainingItemCount where they apply.
        """
        field, head = "items", {"kind": self.resource.list_kind, "apiVersion": self.resource.api_version}
        if self.form.shape == "Table":
            field, head = "rows", {"kind": "Table", "apiVersion": self._meta_version}
        elif self.form.shape:
            head = {"kind": "PartialObjectMetadataList", "apiVersion": self._meta_version}
        start: dict[str, Any] = {**head, "metadata": metadata}
        if self._printer is not None:
            start["columnDefinitions"] = self._printer.columns
        joined = b",".join(items)
        if not joined and self.form.shape == "PartialObjectMetadata":
            return encode({**start, "items": None})  # as a real server has it
        return b'%s,"%s":[%s]}' % (encode(start)[:-1], field.encode(), joined)

    def event(self, kind: str, obj: Object, *, first: bool) -> bytes:
        """A line of a watch.

        Args:
            kind: ADDED, MODIFIED or DELETED.
            obj: the object.
            first: whether this is the watch's first line: only there a Table has column definitions.
        """
        shown: Any = obj
        if self.form.shape == "Table":
            shown = self._table([obj], obj["metadata"]["resourceVersion"], columns=first)
        elif self.form.shape:
            shown = self._partial(obj)
        return encode({"type": kind, "object": shown}) + b"\n"

    def bookmark(self, version: int, *, first: bool, initial_events_end: bool = False) -> bytes:
        """A line of a watch that says how far it has come.

        Args:
            version: the resource version reached.
            first: as for `event`.
            initial_events_end: whether to mark the end of the initial events.
        """
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if initial_events_end:
            metadata["annotations"] = INITIAL_EVENTS_END
        empty: Object = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": metadata}
        if self._printer is not None:
            row: dict[str, Any] = {"cells": self._printer.empty_cells()}
            # The mark that ends the initial events always travels in the row's object.
            carried = self.include != "None" or initial_events_end
            row["object"] = self._partial(empty) if carried else None
            shown: Any = {**self._table([], str(version), columns=first), "rows": [row]}
        elif self.form.shape:
            shown = self._partial(empty)
        elif self.resource.kind == "Pod":
            shown = {**empty, "spec": {"containers": None}, "status": {}}
        else:
            shown = empty
        return encode({"type": "BOOKMARK", "object": shown}) + b"\n"

    def _partial(self, obj: Object) -> Object:
        return {"kind": "PartialObjectMetadata", "apiVersion": self._meta_version, "metadata": obj["metadata"]}

    def _table(self, objects: Sequence[Object], version: str, *, columns: bool) -> Object:
        assert self._printer is not None
        return {
            "kind": "Table",
            "apiVersion": self._meta_version,
            "metadata": {"resourceVersion": version},
            "columnDefinitions": self._printer.columns if columns else None,
            "rows": [self._row(obj) for obj in objects],
        }

    def _row(self, obj: Object) -> Object:
        assert self._printer is not None
        row: Object = {"cells": self._printer.cells(obj, self._now)}
        conditions = self._printer.conditions(obj)
        if conditions:
            row["conditions"] = conditions
        if self.include == "Object":
            row["object"] = obj
        else:
            row["object"] = None if self.include == "None" else self._partial(obj)
        return row
