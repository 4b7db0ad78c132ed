"""Quantities of the embedded cluster are written as the API server writes them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.demo.quantities import canonical, quantity

# As a Kubernetes 1.36 API server answered them in limits, of which thousandths are the least.
ANSWERED = {
    "1000m": "1", "1500m": "1500m", "0.5": "500m", "1.5": "1500m", "0": "0", "0Mi": "0", "1024Ki": "1Mi",
    "1.5Gi": "1536Mi", "0.5Ki": "512", "1000Ki": "1000Ki", "2048": "2048", "1000": "1k", "1e3": "1e3",
    "1500000": "1500k", "0.1m": "1m", "0.0000000001": "1m", "1.1Ki": "1126400m", "100M": "100M",
}  # fmt: skip


@pytest.mark.parametrize(("sent", "answered"), ANSWERED.items())
def test_a_quantity_is_written_in_one_way(sent: str, answered: str) -> None:
    """Without fractions, and with the largest suffix of its sort."""
    assert canonical(sent, 1000) == answered


@given(st.integers(-(10**12), 10**12), st.sampled_from(["n", "u", "m", "", "k", "M", "Ki", "Mi", "e3", "E-2"]))
def test_the_value_stays_and_writing_again_changes_nothing(number: int, suffix: str) -> None:
    """Whatever the suffix."""
    once = canonical(f"{number}{suffix}")
    value = quantity(f"{number}{suffix}")
    assert value is not None
    assert quantity(once) == value
    assert canonical(once) == once


def test_what_is_no_quantity_stays() -> None:
    """It is refused elsewhere."""
    assert (canonical("much"), quantity("1 GB"), quantity("1.5Ki")) == ("much", None, Fraction(1536))
