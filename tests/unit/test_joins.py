"""Joins: what other kinds know about the rows of a table."""

from __future__ import annotations

import asyncio

import pytest

from ktui.kinds.builtin import BUILTIN
from ktui.kinds.endpoint_slices import OF_SERVICE, SERVICE_NAME, EndpointSlice
from ktui.kinds.names import ObjectKey
from ktui.kinds.objects import ObjectMeta
from ktui.kinds.row import Row
from ktui.kinds.services import SERVICES
from ktui.kube.client import Client
from ktui.kube.feed import Feed
from ktui.kube.joins import Joins
from ktui.kube.session import Session
from ktui.kube.state import Absent, Denied, Listing, Live, Partial, Stale, State

WEB, DB = ObjectKey("shop", "web"), ObjectKey("shop", "db")


def endpoint_slice(name: str, service: ObjectKey, version: str = "1") -> Row:
    labels = {SERVICE_NAME: service.name}
    meta = ObjectMeta(name=name, namespace=service.namespace, uid=name, resource_version=version, labels=labels)
    return Row(ObjectKey(service.namespace, name), name, EndpointSlice(metadata=meta))


class Table:
    """A table of services, as far as its joins go."""

    def __init__(self) -> None:
        self.touched: list[set[ObjectKey]] = []
        self.served = 0
        self.session = Session(_never)
        feed = self.session.open(SERVICES).feed
        self.joins = Joins(self.session, feed, (), BUILTIN, self.touched.append, self._on_served)

    @property
    def feed(self) -> Feed:
        """The feed of the joined kind."""
        return self.joins.feeds[0]

    def known(self, service: ObjectKey) -> list[str] | None:
        """The names of a service's slices; None when nothing is known."""
        found = self.joins.lookup(OF_SERVICE, service)
        return None if found is None else sorted(each.metadata.name for each in found)

    def _on_served(self) -> None:
        self.served += 1


async def _never() -> Client:
    await asyncio.Event().wait()
    raise AssertionError


async def settle() -> None:
    """Let what was put off to the next turn of the loop happen."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_objects_are_found_by_the_row_they_belong_to() -> None:
    """A row is told about when something of it comes, changes or goes, and about nothing else."""
    table = Table()
    store = table.feed.store
    table.feed.become(Live())
    store.put([endpoint_slice("a", WEB), endpoint_slice("b", WEB), endpoint_slice("c", DB)])
    await settle()
    assert (table.known(WEB), table.known(DB)) == (["a", "b"], ["c"])
    assert table.touched == [{WEB, DB}]
    store.remove(ObjectKey("shop", "a"))
    await settle()
    assert (table.known(WEB), table.touched[1:]) == (["b"], [{WEB}])


async def test_an_object_that_changes_sides_tells_both() -> None:
    """When an object belongs to another row than before, both rows are told."""
    table = Table()
    table.feed.become(Live())
    table.feed.store.put([endpoint_slice("a", WEB)])
    await settle()
    table.feed.store.put([endpoint_slice("a", DB, "2")])
    await settle()
    assert table.touched[-1] == {WEB, DB}
    assert (table.known(WEB), table.known(DB)) == ([], ["a"])


async def test_a_page_that_lands_tells_once() -> None:
    """However many objects come at once, rows are told once."""
    table = Table()
    table.feed.become(Live())
    await settle()
    table.feed.store.put([endpoint_slice(f"s{number}", WEB) for number in range(100)])
    await settle()
    assert len(table.touched) == 1


@pytest.mark.parametrize(
    "state", [Listing(1, 5), Stale(0, "refused", 1, complete=False), Denied("list", "no"), Absent("no")]
)
async def test_nothing_is_known_before_everything_is(state: State) -> None:
    """While pages land a row's objects may be yet to come: it must not look as if it had none."""
    table = Table()
    table.feed.store.put([endpoint_slice("a", WEB)])
    table.feed.become(state)
    await settle()
    assert (table.known(DB), table.joins.served(OF_SERVICE), table.served) == (None, False, 0)


@pytest.mark.parametrize("state", [Live(), Partial(1, 2, "")])
async def test_a_kind_without_objects_is_known(state: State) -> None:
    """Once listed, that there are no objects is known, too."""
    table = Table()
    table.feed.become(state)
    await settle()
    assert (table.known(WEB), table.joins.served(OF_SERVICE), table.served) == ([], True, 1)


async def test_what_is_known_outlives_a_broken_line() -> None:
    """Stale objects stay; those of a kind that is served no more do not."""
    table = Table()
    table.feed.store.put([endpoint_slice("a", WEB)])
    table.feed.become(Live())
    await settle()
    table.feed.become(Stale(0, "connection refused", 1, complete=True))
    await settle()
    assert table.known(WEB) == ["a"]
    table.feed.become(Absent("no such kind"))
    await settle()
    assert (table.known(WEB), table.served) == (None, 2)


async def test_a_feed_that_others_have_opened_is_known_at_once() -> None:
    """A table that opens later sees what is there already."""
    first = Table()
    told: list[set[ObjectKey]] = []
    first.feed.store.put([endpoint_slice("a", WEB)])
    mine = first.session.open(SERVICES).feed
    second = Joins(first.session, mine, (), BUILTIN, told.append, lambda: None)
    first.feed.become(Live())
    await settle()
    assert second.served(OF_SERVICE)
    assert told == [{WEB}]


async def test_a_closed_table_is_told_nothing() -> None:
    """After close, even what was on its way is kept back."""
    table = Table()
    table.feed.become(Live())
    table.feed.store.put([endpoint_slice("a", WEB)])
    table.joins.close()
    await settle()
    table.feed.store.put([endpoint_slice("b", WEB)])
    table.feed.become(Absent("no"))
    await settle()
    assert (table.touched, table.served) == ([], 0)
