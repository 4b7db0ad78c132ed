"""Undoing: what was done together goes back together, newest first, and nothing that somebody changed since."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from ktui.actions import undoing
from ktui.actions.action import Asks, Refusal, Target, Undone
from ktui.actions.journal import Entry, entry_of
from ktui.actions.place import Place
from ktui.actions.undertaking import Undertaking
from ktui.actions.undo import Given, PatchUndo
from ktui.actions.undoing import undo_action, undo_targets
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.discovery import Discovery, Resource
from ktui.kube.errors import BadRequest, Forbidden
from tests.unit.fake_place import THINGS, Doing, FakePlace, action, deleting, grow, making, patching, path


class Served(FakePlace):
    """A place that knows what it serves: things, and those of another group with the same name."""

    async def discovery(self, *, anew: bool = False) -> Discovery:
        groups = ("apps", "other.example.com")
        return Discovery(
            [Resource(GVR(one, "v1", "things"), "Thing", "thing", True, (), ("get",), (), ()) for one in groups]
        )


async def journal(place: FakePlace, plan: Any, *names: str) -> list[Entry]:
    """What is done, as the journal has it."""
    doing = await Doing(place, action(plan), *names).done()
    assert set(doing.stages) == {"DONE"}, doing.errors
    return [entry_of(one, context="c", at=1.0) for one in doing.kept]


async def begun(place: FakePlace, entries: list[Entry]) -> Undertaking:
    """The undoing, up to the moment when the person says yes."""
    here = cast("Place", place)
    back = Undertaking(here, undo_action(entries), await undo_targets(here, entries), lambda written: None, "")
    await back.read()
    back.values = (await back.action.form(here, back.targets)).start()
    back.plan()
    return back


async def test_several_go_back_newest_first() -> None:
    """All that was done together."""
    place = Served("a", "b")
    entries = await journal(place, grow, "a", "b")
    back = await begun(place, entries)
    assert [work.target.key.name for work in back.works] == [entry.key.name for entry in reversed(entries)]
    await back.do()
    assert [place.objects[path(name)]["spec"] for name in "ab"] == [{"size": 1}] * 2


async def test_changes_of_one_object_go_back_one_after_the_other() -> None:
    """The last one first, as each tests what it left."""
    place = Served("a")

    def plan(about: Target, values: Any) -> Any:
        return [patching(about, {"spec": {"size": size}}) for size in (2, 3)]

    back = await begun(place, await journal(place, plan, "a"))
    assert [len(work.steps) for work in back.works] == [2]
    await back.do()
    assert back.works[0].error is None
    assert place.objects[path("a")]["spec"] == {"size": 1}


async def test_what_somebody_changed_since_is_theirs() -> None:
    """Then nothing of it all is undone."""
    place = Served("a", "b")
    entries = await journal(place, grow, "a", "b")
    place.change("b", size=7)
    with pytest.raises(Refusal, match=r"Somebody changed thing ns/b since: spec\.size is 7 now\."):
        await begun(place, entries)


async def test_creations_and_deletions() -> None:
    """What was made is deleted, what was deleted is made again."""
    place = Served("a")
    created = await journal(place, lambda about, values: [making("new", size=1)], "a")
    deleted = await journal(place, lambda about, values: [deleting(about)], "a")
    for entries in (created, deleted):
        back = await begun(place, entries)
        await back.do()
        assert [work.error for work in back.works] == [None]
    assert set(place.objects) == {path("a")}


@pytest.mark.parametrize(
    ("plan", "asks"),
    [
        (lambda about, values: [making("b", size=1)], Asks.CONFIRM),
        (grow, Asks.NOTHING),
        (lambda about, values: [deleting(about)], Asks.NOTHING),
    ],
    ids=["a creation", "a change", "a deletion"],
)
async def test_what_would_be_deleted_is_confirmed(plan: Any, asks: Asks) -> None:
    """Others may use by now what was created."""
    place = Served("a")
    entries = await journal(place, plan, "a")
    back = await begun(place, entries)
    assert undo_action(entries).asks(back.targets, back.values) is asks


async def test_another_kind_of_the_same_name() -> None:
    """What was done to one object is not taken back on another whose kind is called alike."""
    place = Served("a")
    (entry,) = await journal(place, grow, "a")
    twin = Target(replace(THINGS, gvr=GVR("other.example.com", "v1", "things")), entry.key)
    back = await begun(place, [entry])
    assert undo_action([entry]).plan(twin, back.values) == []
    assert len(undo_action([entry]).plan(back.targets[0], back.values)) == 1


async def test_what_cannot_be_undone_is_said() -> None:
    """And the rest is undone."""
    place = Served("a", "b")

    def plan(about: Target, values: Any) -> Any:
        (step,) = grow(about)
        return [step if about.key.name == "a" else replace(step, undone=Undone.NEVER)]

    entries = await journal(place, plan, "a", "b")
    back = await begun(place, entries)
    assert [work.target.key for work in back.works] == [ObjectKey("ns", "a")]
    said = await back.action.weigh(back.place, back.targets, back.values)
    assert [one.text for one in said] == ["Act of thing ns/b cannot be undone."]


async def test_an_object_that_cannot_be_read() -> None:
    """Whether somebody changed it is not known then, so nothing is begun."""
    place = Served("a")
    entries = await journal(place, grow, "a")
    place.unreadable.append((path("a"), Forbidden(403, "Forbidden", "no")))
    with pytest.raises(Forbidden):
        await begun(place, entries)


async def test_a_kind_that_is_not_served_any_more() -> None:
    """It is said which."""
    place = Served("a")
    entries = await journal(place, grow, "a")

    async def nothing(*, anew: bool = False) -> Discovery:
        return Discovery([])

    place.discovery = nothing  # type: ignore[method-assign]
    with pytest.raises(Refusal, match=r"does not serve things\.apps any more"):
        await undo_targets(cast("Place", place), entries)


async def test_many_are_asked_for_a_few_at_a_time() -> None:
    """An error among them is raised, and none is left unheard."""
    place = Served(*(f"t{number}" for number in range(12)))
    entries = await journal(place, grow, *(f"t{number}" for number in range(12)))
    place.unreadable.append((path("t5"), BadRequest(400, "", "no")))
    with pytest.raises(BadRequest):
        await begun(place, entries)
    back = await begun(place, entries)
    assert len(back.works) == 12


def test_what_somebody_changed_of_a_secret_stays_masked() -> None:
    """It is told that it changed, and not to what."""
    key = ObjectKey("ns", "s")
    given = (Given("/data/password", "data.password", "b2xk"),)
    undo = PatchUndo(gvr=GVR("", "v1", "secrets"), kind="Secret", key=key, title="Give it back", given=given)
    entry = Entry(id="e", at=0, gvr=undo.gvr, kind="Secret", key=key, undo=undo)
    live = {"metadata": {"name": "s"}, "data": {"password": "aHVudGVyMg=="}}
    with pytest.raises(Refusal, match=r"data\.password is .* now\.") as refused:
        undoing._check([(entry, undo)], {"e": live})
    assert "aHVudGVyMg" not in refused.value.sentence
