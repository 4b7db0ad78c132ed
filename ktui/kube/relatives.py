"""Relatives: the objects that belong to an object, asked for once, when somebody wants to see them.

Owners are followed upwards by name, what is owned is searched downwards, and what the object names, selects or is
selected by stands beside it. Every answer that cannot be had becomes a line that says so; one refusal spoils no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import ObjectMeta
from ktui.kinds.references import Reference, Search, identity, named, owned, owners, searches
from ktui.kinds.row import Row
from ktui.kinds.standing import Standing, standing
from ktui.kinds.tone import Tone
from ktui.kube.client import Client
from ktui.kube.discovery import Discovery
from ktui.kube.errors import Forbidden, KtuiError, NotFound
from ktui.kube.list_watch import ListWatch, list_rows
from ktui.kube.listing import kind_of
from ktui.kube.objects import get_row

# Requests under way at once: enough to hide the way to the server, too few to trouble it.
AT_ONCE = 6
# Owners of owners; nothing real goes deeper, and a circle of owners would never end.
MOST_OWNERS = 8
# Lines below one owner, or found by one search. A namespace may have thousands of ConfigMaps.
MOST_FOUND = 500


@dataclass(frozen=True, slots=True)
class Relative:
    """An object that belongs to another, as a line of a page.

    Attributes:
        kind: its kind as manifests have it.
        key: its namespace and name.
        standing: how it is.
        depth: how deep it stands in a tree.
        why: what it is to the object, where the heading does not say.
        resource: its kind, by which its details can be opened; None when the server does not serve it.
        here: whether it is the object itself.
        old: whether it is an empty leftover, such as the replica set of an earlier rollout.
    """

    kind: str
    key: ObjectKey
    standing: Standing
    depth: int = 0
    why: str = ""
    resource: Kind | None = None
    here: bool = False
    old: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Relatives under one heading.

    Attributes:
        title: the heading.
        members: in the order in which they are shown.
        trouble: why there may be more than are shown; empty when these are all.
    """

    title: str
    members: tuple[Relative, ...]
    trouble: str = ""


_SILENT = Standing(Tone.PLAIN, "")
_MISSING = Standing(Tone.FAILED, "not found")


@dataclass
class _Found:
    """What searches downwards found: rows with their kinds, by the UID of an owner."""

    children: dict[str, list[tuple[Kind, Row]]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


class Relatives:
    """Finds the relatives of objects in one cluster.

    Args:
        client: whom to ask.
        discovery: what is served.
        now: epoch seconds, for statuses that name moments.
    """

    def __init__(self, client: Client, discovery: Discovery, now: float) -> None:
        self._client = client
        self._discovery = discovery
        self._now = now
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def of(self, item: Mapping[str, Any]) -> list[Family]:
        """All relatives of a whole object, as far as the user may see them.

        Args:
            item: the object as decoded from JSON.
        """
        tree, uses, searched = await asyncio.gather(
            self._tree(item),
            asyncio.gather(*map(self._named, named(item))),
            asyncio.gather(*map(self._search, searches(item))),
        )
        families = [Family("Uses", tuple(uses)), *searched]
        if len(tree.members) > 1 or tree.trouble:
            families.insert(0, tree)
        return [family for family in families if family.members or family.trouble]

    # -- the tree of owners ------------------------------------------------------------------

    async def _tree(self, item: Mapping[str, Any]) -> Family:
        meta = msgspec.convert(item["metadata"], ObjectMeta)
        ancestors, found = await asyncio.gather(self._ancestors(meta), self._owned(item))
        lines = [replace(line, depth=depth) for depth, line in enumerate(ancestors)]
        depth = len(lines)
        group, kind = identity(item)
        served = self._discovery.find(group, kind)
        lines.append(
            Relative(
                kind,
                ObjectKey(meta.namespace, meta.name),
                _SILENT,
                depth,
                resource=kind_of(served) if served else None,
                here=True,
            )
        )
        lines += self._descend(meta.uid, found, depth + 1)
        return Family("Owners and owned", tuple(lines), "; ".join(found.troubles))

    async def _ancestors(self, meta: ObjectMeta) -> list[Relative]:
        """The chain of controllers, the topmost first."""
        chain: list[Relative] = []
        while len(chain) < MOST_OWNERS and (above := owners(meta)):
            line, row = await self._asked(above[0])
            others = ", ".join(f"{owner.kind} {owner.name}" for owner in above[1:])
            line = replace(line, why=f"and {others}" if others else "")
            chain.insert(0, line)
            if row is None:
                break
            meta = row.object.metadata
        return chain

    async def _owned(self, item: Mapping[str, Any]) -> _Found:
        found = _Found()
        wanted = owned(item)
        group, _ = identity(item)
        if wanted and all(search.group != group for search in wanted):
            # A custom resource's controller often makes custom resources of its own group.
            namespace = wanted[0].namespace
            wanted += [
                Search(resource.gvr.group, resource.kind, namespace)
                for resource in self._discovery.resources
                if resource.gvr.group == group and resource.namespaced and resource.listable
            ]
        for kind, rows, trouble in await asyncio.gather(*map(self._list, wanted)):
            if trouble:
                found.troubles.append(trouble)
            for row in rows:
                for owner in row.object.metadata.owner_references or ():
                    found.children.setdefault(owner.uid, []).append((kind, row))
        return found

    def _descend(self, uid: str, found: _Found, depth: int) -> list[Relative]:
        children = found.children.get(uid, ()) if depth <= MOST_OWNERS else ()
        branches = []
        for kind, row in sorted(children, key=_newest_first)[:MOST_FOUND]:
            line, below = self._line(kind, row, depth), self._descend(row.uid, found, depth + 1)
            old = kind.kind == "ReplicaSet" and not below and line.standing.tone is Tone.FINISHED
            branches.append((replace(line, old=old), below))
        # What stands empty since an earlier rollout comes last.
        branches.sort(key=lambda branch: branch[0].old)
        return [line for first, below in branches for line in (first, *below)]

    # -- beside it ---------------------------------------------------------------------------

    async def _named(self, reference: Reference) -> Relative:
        return (await self._asked(reference))[0]

    async def _asked(self, reference: Reference) -> tuple[Relative, Row | None]:
        """The line of an object that is named, and its row; without one the line says why it cannot be had."""
        served = self._discovery.find(reference.group, reference.kind)
        key = ObjectKey(reference.namespace if served is None or served.namespaced else "", reference.name)
        line = Relative(reference.kind, key, _SILENT, why=reference.why, resource=kind_of(served) if served else None)
        if line.resource is None:
            return replace(line, standing=Standing(Tone.UNKNOWN, "not served here")), None
        try:
            async with self._slots:
                kind, row = await get_row(self._client, line.resource, key)
        except NotFound:
            missing = Standing(Tone.FINISHED, "not there, optional") if reference.optional else _MISSING
            return replace(line, standing=missing, resource=None), None
        except Forbidden:
            return replace(line, standing=Standing(Tone.UNKNOWN, "may not be read")), None
        except KtuiError as error:
            return replace(line, standing=Standing(Tone.UNKNOWN, error.sentence)), None
        return replace(line, standing=standing(kind, row, self._now), resource=kind), row

    async def _search(self, search: Search) -> Family:
        kind, rows, trouble = await self._list(search)
        found = sorted((row for row in rows if search.keep is None or search.keep(row.object)), key=lambda row: row.key)
        if len(found) > MOST_FOUND:
            trouble = f"{len(found) - MOST_FOUND:,} more are not shown."
        return Family(search.why, tuple(self._line(kind, row, 0) for row in found[:MOST_FOUND]), trouble)

    # -- asking ------------------------------------------------------------------------------

    async def _list(self, search: Search) -> tuple[Kind, list[Row], str]:
        """What a search's selectors find, of which kind, and a sentence when it could not be asked."""
        served = self._discovery.find(search.group, search.kind)
        if served is None or not served.listable:
            return generic_kind(GVR(search.group, "", ""), search.kind, True), [], ""
        kind = kind_of(served)
        list_watch = ListWatch(
            self._client,
            kind if search.view is None else replace(kind, view=search.view),
            search.namespace,
            label_selector=search.labels,
            field_selector=search.fields,
        )
        try:
            async with self._slots:
                rows = await list_rows(list_watch)
        except KtuiError as error:
            return list_watch.kind, [], error.sentence
        # Only now does the kind have the columns that the server named.
        return list_watch.kind, rows, ""

    def _line(self, kind: Kind, row: Row, depth: int) -> Relative:
        return Relative(kind.kind, row.key, standing(kind, row, self._now), depth, resource=kind)


def _newest_first(found: tuple[Kind, Row]) -> tuple[str, tuple[int, ...], str]:
    """By kind, then what was made last, then by name."""
    kind, row = found
    made = row.object.metadata.creation_timestamp or ""
    return (kind.kind, tuple(-ord(char) for char in made), row.key.name)
