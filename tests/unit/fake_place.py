"""A place without a cluster: objects in a dict, and what goes wrong with writes as a test orders it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterable
from typing import Any, cast

from ktui.actions.action import JSON_PATCH, MERGE_PATCH, Action, JsonObject, Said, Step, Target, Undone, Write
from ktui.actions.outcome import operations, patched
from ktui.actions.place import Place
from ktui.actions.undertaking import Undertaking, Written
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.errors import AlreadyExists, Details, Invalid, KtuiError, NotFound
from ktui.manifests.lists import ABSENT

THINGS = generic_kind(GVR("apps", "v1", "things"), "Thing", True)


class FakePlace:
    """Objects, and a record of what was asked.

    Attributes:
        objects: by their paths.
        sent: the writes that arrived, dry runs left aside.
        tried: dry runs.
        asked: paths of what was read.
        unreadable: errors of reads, each used once, by path; None stands for any path.
        under_way: writes that are not answered yet, and how many there were at most.
        gate: writes wait for it.
    """

    def __init__(self, *names: str) -> None:
        self.objects: dict[str, JsonObject] = {}
        self.sent: list[Write] = []
        self.tried: list[Write] = []
        self.asked: list[str] = []
        self.unreadable: list[tuple[str | None, KtuiError]] = []
        self.under_way = self.most_under_way = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._faults: list[tuple[Exception, bool, int]] = []
        self._late: list[tuple[int, Write]] = []
        self._version = 0
        for name in names:
            self.put(name)

    def put(self, name: str, **more: Any) -> JsonObject:
        """Make an object, as somebody else."""
        self._version += 1
        meta = {"name": name, "namespace": "ns", "uid": f"uid-{self._version}", "resourceVersion": str(self._version)}
        item = {"apiVersion": "apps/v1", "kind": "Thing", "metadata": meta, "spec": {"size": 1}, **more}
        self.objects[path(name)] = item
        return item

    def change(self, name: str, **spec: Any) -> None:
        """Change an object, as somebody else."""
        self._version += 1
        item = copy.deepcopy(self.objects[path(name)])
        item["spec"] |= spec
        item["metadata"]["resourceVersion"] = str(self._version)
        self.objects[path(name)] = item

    def fail(self, error: Exception, *, done: bool = False, late: int = 0) -> None:
        """The next write fails that has no failure ordered yet.

        Args:
            error: how.
            done: whether it is done all the same.
            late: it is done when so many reads have been made.
        """
        self._faults.append((error, done, late))

    async def get(self, gvr: GVR, key: ObjectKey, subresource: str = "") -> JsonObject:
        """An object, or its scale."""
        asked = gvr.path(*key, subresource)
        self.asked.append(asked)
        for place, write in tuple(self._late):
            self._late.remove((place, write))
            if place > 1:
                self._late.append((place - 1, write))
            else:
                self._done(write)
        for order in self.unreadable:
            if order[0] in (None, asked):
                self.unreadable.remove(order)
                raise order[1]
        item = self._found(gvr.path(*key))
        return scale(item) if subresource == "scale" else copy.deepcopy(item)

    async def send(self, write: Write, *, dry_run: bool = False) -> tuple[JsonObject, tuple[str, ...]]:
        """A write, or what it would make."""
        if dry_run:
            self.tried.append(write)
            before, version = copy.deepcopy(self.objects), self._version
            try:
                return self._done(write, dry_run=True), ("dry",)
            finally:
                self.objects, self._version = before, version
        self.sent.append(write)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
            if not self._faults:
                return self._done(write), ()
            error, done, late = self._faults.pop(0)
            if done:
                self._done(write)
            if late:
                self._late.append((late, write))
            raise error
        finally:
            self.under_way -= 1

    def _found(self, where: str) -> JsonObject:
        if where not in self.objects:
            name = where.rpartition("/")[2]
            raise NotFound(404, "NotFound", f'things.apps "{name}" not found', details=Details(name=name))
        return self.objects[where]

    def _done(self, write: Write, *, dry_run: bool = False) -> JsonObject:
        if write.method == "POST":
            return self._made(write)
        own = write.path.removesuffix("/scale")
        item = self._found(own)
        if write.method == "DELETE":
            return self.objects.pop(own)
        if write.content_type == JSON_PATCH:
            changes = operations(write)
            if any(_at(item, one["path"]) != one["value"] for one in changes if one["op"] == "test"):
                raise Invalid(422, "Invalid", "the server rejected our request due to an error in our request")
            made = patched(item, changes)
        else:
            made = _merged(item, write.body)
        if not dry_run:
            self._version += 1
            made["metadata"]["resourceVersion"] = str(self._version)
        self.objects[own] = made
        return scale(made) if own != write.path else copy.deepcopy(made)

    def _made(self, write: Write) -> JsonObject:
        if write.path.endswith("/eviction"):
            self.objects.pop(write.path.removesuffix("/eviction"))
            return {"kind": "Status", "metadata": {}, "status": "Success"}
        name = write.body["metadata"].get("name") or "made-x7x2z"
        if path(name) in self.objects:
            raise AlreadyExists(409, "AlreadyExists", f'things.apps "{name}" already exists')
        made = self.put(name, spec=write.body.get("spec", {}))
        made["metadata"]["managedFields"] = [{"manager": "ktui", "operation": "Update"}]
        return copy.deepcopy(made)


def path(name: str = "") -> str:
    """Of a thing."""
    return THINGS.gvr.path("ns", name)


def scale(item: JsonObject) -> JsonObject:
    """Of an object."""
    replicas = item["spec"].get("replicas")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": dict(item["metadata"]),
        "spec": {"replicas": replicas},
    }


def _merged(item: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    made = dict(item) if isinstance(item, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = _merged(made.get(name), value)
    return made


def _at(item: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        item = item.get(part, ABSENT) if isinstance(item, dict) else ABSENT
    return None if item is ABSENT else item


# -- steps and actions -----------------------------------------------------------------------------


def target(name: str, uid: str = "") -> Target:
    """A thing, not read yet."""
    return Target(THINGS, ObjectKey("ns", name), uid)


def patching(about: Target, body: Any, content_type: str = MERGE_PATCH, through: str = "") -> Step:
    """A patch of a thing."""
    where = "/".join(filter(None, (path(about.key.name), through)))
    return Step(about, Write("PATCH", where, body, content_type), ("kubectl", "patch"), undone=Undone.PATCH)


def grow(about: Target, values: Any = None) -> list[Step]:
    """A plan: the size becomes 2."""
    return [patching(about, {"spec": {"size": 2}})]


def making(name: str, **spec: Any) -> Step:
    """The creation of a thing; the server names it when there is no name."""
    named = {"name": name} if name else {"generateName": "made-"}
    body = {"metadata": {"namespace": "ns", **named}, "spec": spec}
    return Step(target(name), Write("POST", path(), body), ("kubectl", "create"), undone=Undone.DELETE)


def deleting(about: Target, **options: Any) -> Step:
    """The deletion of a thing."""
    return Step(about, Write("DELETE", path(about.key.name), options), ("kubectl", "delete"), undone=Undone.CREATE)


def evicting(about: Target) -> Step:
    """The eviction of a thing, as if it were a pod."""
    body = {"deleteOptions": {"preconditions": {"uid": about.uid}}}
    return Step(about, Write("POST", path(f"{about.key.name}/eviction"), body), ("kubectl",), undone=Undone.NEVER)


def action(plan: Callable[..., Iterable[Step]] = grow, **more: Any) -> Action:
    """An action."""
    planned = cast("Any", lambda about, values: list(plan(about, values)))
    return Action(id="act", key="x", title="Act", help="", plan=planned, offers=lambda kind: True, **more)


class Doing:
    """An undertaking, and what came of it.

    Args:
        place: where.
        what: to do.
        names: of the things.

    Attributes:
        kept: what the journal got.
        told: every sentence that was to be seen, and who it was about, in order.
    """

    def __init__(self, place: FakePlace, what: Action, *names: str) -> None:
        self.kept: list[Written] = []
        self.told: list[Said] = []
        targets = [target(name) for name in names] or [target("")]
        self.undertaking = Undertaking(cast("Place", place), what, targets, self.kept.append, "b", self._changed)

    async def prepared(self) -> Doing:
        """All until the person says yes."""
        await self.undertaking.read()
        self.undertaking.plan()
        return self

    async def done(self) -> Doing:
        """All of it."""
        await self.prepared()
        await self.undertaking.do()
        return self

    @property
    def stages(self) -> list[str]:
        """How far the things are."""
        return [work.stage.name for work in self.undertaking.works]

    @property
    def errors(self) -> list[str]:
        """Why they failed."""
        return [str(work.error or "") for work in self.undertaking.works]

    @property
    def words(self) -> list[str]:
        """What was told."""
        return [said.text for said in self.told]

    @property
    def journal(self) -> list[tuple[str, str]]:
        """What the journal got, and how each went."""
        return [(one.step.target.key.name, _went(one)) for one in self.kept]

    def _changed(self) -> None:
        for work in self.undertaking.works:
            self.told += [said for said in work.said.values() if not self.told or said not in self.told]


def _went(written: Written) -> str:
    assert (written.after is None) is (written.error is not None)
    return "unknown" if written.unknown else "failed" if written.error else "done"
