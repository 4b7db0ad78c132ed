"""Steps that depend on each other: what one needs is waited for, and what fails stops no more than it must."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from typing import Any

from ktui.actions.action import APPLY_PATCH, JsonObject, Step, Target, Undone, Write
from ktui.actions.deletion import going
from ktui.actions.undertaking import Stage
from ktui.actions.undo import DeleteUndo, PatchUndo, undo_of
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.errors import ConnectionFailed, Invalid
from tests.cluster.objects import until
from tests.unit.fake_place import Doing, FakePlace, action, deleting, making, path, target

WRONG = Invalid(422, "Invalid", "wrong")


class Watched(FakePlace):
    """A place whose watches tell what a test orders, one after the other."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.seen: asyncio.Queue[JsonObject | None] = asyncio.Queue()
        self.refusals: list[Exception] = []

    def _made(self, write: Write) -> JsonObject:
        if self.refusals:
            raise self.refusals.pop()
        return super()._made(write)

    async def watch(self, gvr: GVR, key: ObjectKey) -> AsyncGenerator[JsonObject | None, None]:
        """What is ordered."""
        while True:
            yield await self.seen.get()


def lines(doing: Doing) -> dict[str, str]:
    """How it is with each step."""
    return {said.about: said.text for said in doing.undertaking.works[0].said.values() if said.about}


def needing(step: Step, *needs: Target) -> Step:
    """A step that needs others."""
    return dataclasses.replace(step, needs=needs)


def chain(*_: Any) -> list[Step]:
    """`b` needs `a`; `c` needs `b`; `d` needs nothing."""
    return [
        needing(making("a")),
        needing(making("b"), target("a")),
        needing(making("c"), target("b")),
        needing(making("d")),
    ]


async def test_what_fails_stops_what_needs_it() -> None:
    """However far that is; the rest is done, and each line says how it went."""
    place = FakePlace()
    place.fail(WRONG)
    doing = await Doing(place, action(chain, creates=True)).done()
    assert doing.stages == ["FAILED"]
    assert doing.errors == ["wrong."]
    assert list(place.objects) == [path("d")]
    assert lines(doing) == {
        "thing ns/a": "wrong.",
        "thing ns/b": "not done, as it needs thing ns/a",
        "thing ns/c": "not done, as it needs thing ns/b",
        "thing ns/d": "created",
    }


async def test_trying_again_does_the_rest() -> None:
    """What is done is neither tried nor done once more."""
    place = FakePlace()
    place.fail(WRONG)
    doing = await Doing(place, action(chain, creates=True)).done()
    place.sent.clear()
    doing.undertaking.again()
    await doing.prepared()
    (previews,) = (await doing.undertaking.previews()).values()
    assert [preview.refused for preview in previews] == [False] * 4
    assert len(place.tried) == 3
    await doing.undertaking.do()
    assert doing.stages == ["DONE"]
    assert [write.body["metadata"]["name"] for write in place.sent] == ["a", "b", "c"]
    assert lines(doing)["thing ns/d"] == "done before"


async def test_a_broken_line_begins_nothing_more() -> None:
    """Whatever does not need it: nobody knows what came of anything."""
    place = FakePlace()
    place.fail(ConnectionFailed("it", "connection refused"))
    doing = await Doing(place, action(chain, creates=True)).done()
    assert doing.stages == ["FAILED"]
    assert place.objects == {}
    assert lines(doing)["thing ns/d"] == "waits for its turn"


def replacing(about: Target, values: Any = None) -> list[Step]:
    """A deletion, and a creation when it is gone."""
    gone = dataclasses.replace(deleting(about), settled=lambda item: going(item, "uid-1"))
    made = dataclasses.replace(making(about.key.name, size=2), previewed=False, advice="It is still there.")
    return [gone, made]


async def test_the_next_step_waits_until_it_is_settled() -> None:
    """What is waited for is told meanwhile."""
    place = Watched("a")
    old = place.objects[path("a")]
    place.seen.put_nowait({**old, "metadata": {**old["metadata"], "finalizers": ["x/y"]}})
    doing = await Doing(place, action(replacing), "a").prepared()
    running = asyncio.create_task(doing.undertaking.do())
    await until(lambda: "is going away, when x/y let it" in doing.words)
    assert [write.method for write in place.sent] == ["DELETE"]
    place.seen.put_nowait(None)
    await running
    assert doing.stages == ["DONE"]
    assert place.objects[path("a")]["spec"] == {"size": 2}
    assert lines(doing) == {"thing ns/a": "created"}


async def test_whoever_stops_waits_no_longer() -> None:
    """And what was not begun is not done."""
    place = Watched("a")
    place.seen.put_nowait(place.objects[path("a")])
    doing = await Doing(place, action(replacing), "a").prepared()
    running = asyncio.create_task(doing.undertaking.do())
    await until(lambda: "is going away" in doing.words)
    doing.undertaking.cancel()
    await running
    assert doing.errors == ["It was stopped: 1 of 2 steps were done."]
    assert [write.method for write in place.sent] == ["DELETE"]


async def test_what_was_deleted_is_created_when_it_is_tried_again() -> None:
    """Though there is nothing to be read any more; and what to do is said."""
    place = Watched("a")
    for _ in range(2):
        place.seen.put_nowait(None)
    doing = await Doing(place, action(replacing), "a").prepared()
    place.refusals.append(WRONG)
    await doing.undertaking.do()
    (work,) = doing.undertaking.works
    assert work.error is not None
    assert (work.error.sentence, work.error.next_step) == ("wrong.", "It is still there.")
    doing.undertaking.again()
    await doing.prepared()
    (previews,) = (await doing.undertaking.previews()).values()
    assert not any(preview.refused for preview in previews)
    await doing.undertaking.do()
    assert doing.stages == ["DONE"]
    assert [write.method for write in place.sent] == ["DELETE", "POST", "POST"]


async def test_another_write_is_tried_in_its_place() -> None:
    """And tells nothing of the names that are free."""
    place = FakePlace("a")
    step = making("a")
    tried = dataclasses.replace(step, tried=making("a-tried").write)
    doing = await Doing(place, action(lambda about, values: [tried], creates=True)).prepared()
    (previews,) = (await doing.undertaking.previews()).values()
    assert previews[0].error is None
    assert [write.body["metadata"]["name"] for write in place.tried] == ["a-tried"]
    assert not doing.undertaking.free


async def test_an_apply_that_finds_an_object_gives_it_back_what_it_was() -> None:
    """And deletes what it made."""
    place = FakePlace("there")
    place.objects[path("new")] = {"metadata": {}}
    for name, found in (("there", PatchUndo), ("new", DeleteUndo)):
        body = {"metadata": {"name": name}, "spec": {"size": 5}}
        step = Step(target(name), Write("PATCH", path(name), body, APPLY_PATCH), (), undone=Undone.DELETE)
        before = None if name == "new" else place.objects[path(name)]
        after = {"metadata": {"name": name, "managedFields": [{"manager": "ktui"}]}, "spec": {"size": 5}}
        assert isinstance(undo_of(step, before, after), found)
    somebodys = {**after, "metadata": {**after["metadata"], "managedFields": [{"manager": "somebody"}]}}  # type: ignore[dict-item]
    assert undo_of(step, None, somebodys) is None


async def test_an_apply_looks_whether_it_makes_something() -> None:
    """At the last moment, as it decides what takes it back."""
    place = FakePlace("there")

    def plan(*_: Any) -> list[Step]:
        body = {"metadata": {"name": "there"}, "spec": {"size": 5}}
        return [Step(target("there"), Write("PATCH", path("there"), body, APPLY_PATCH), (), undone=Undone.DELETE)]

    doing = Doing(place, action(plan, creates=True))
    await doing.done()
    assert doing.undertaking.works[0].stage is Stage.DONE
    assert doing.kept[0].before is not None
    assert doing.kept[0].before["spec"] == {"size": 1}
