"""The one state of a union of namespaces."""

from __future__ import annotations

import pytest

from ktui.kube.feed import compose
from ktui.kube.state import Denied, Listing, Live, Partial, Stale, State, Waiting

DENIED = Denied("list pods", "pods is forbidden")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([Live()], Live()),
        ([Live(), Live()], Live()),
        ([Live(), Waiting()], Waiting()),
        ([Listing(3, 9), Listing(4, None)], Listing(7, None)),
        ([Live(), DENIED], Partial(1, 2, "pods is forbidden")),
        ([DENIED, DENIED], DENIED),
        ([Live(), Stale(5, "refused", 9, True)], Stale(5, "refused", 9, True)),
        ([Stale(7, "b", 9, True), Stale(5, "a", 9, True)], Stale(5, "a", 9, True)),
    ],
)
def test_the_union_is_as_good_as_its_worst_part(states: list[State], expected: State) -> None:
    """A union never looks better than any of its namespaces, and says how many are readable."""
    assert compose(states, narrowed=False) == expected


def test_namespaces_known_to_a_user_are_never_all() -> None:
    """Where all at once is denied, even readable namespaces are a part of the cluster only."""
    assert isinstance(compose([Live(), Live()], narrowed=True), Partial)
