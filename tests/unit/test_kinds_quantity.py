from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktui.kinds.quantity import canonical, human_bytes, mebibytes, millicores, quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("100m", "0.1"),
        ("12345678n", "0.012345678"),
        ("250u", "0.00025"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("64Mi", "67108864"),
        ("1.5Gi", "1610612736"),
        ("2k", "2000"),
        ("1e3", "1000"),
        ("12E2", "1200"),
        ("12E", "12000000000000000000"),
        ("-5m", "-0.005"),
    ],
)
def test_quantities_are_exact(text: str, number: str) -> None:
    """Every suffix and exponent stands for its exact number."""
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1mi", "1KI", "0x10", "1e", "٣", "1Gi\n", "--1", "-"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    """Text that Kubernetes would refuse is not guessed at."""
    assert quantity(text) is None


@settings(deadline=None)
@given(st.integers(0, 10**15), st.booleans())
def test_the_canonical_text_keeps_the_number(amount: int, binary: bool) -> None:
    """What is written is read back as the same number."""
    assert quantity(canonical(Decimal(amount), binary=binary)) == amount


@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_millicores_are_rounded_up(nanocores: int) -> None:
    """A container that uses anything never shows 0m, and whole millicores stay what they are."""
    assert millicores(quantity(f"{nanocores}n") or Decimal(0)) == -(-nanocores // 10**6)


@settings(deadline=None)
@given(st.integers(0, 2**50))
def test_mebibytes_are_rounded_down(amount: int) -> None:
    """As kubectl top, a started MiB does not count."""
    assert mebibytes(Decimal(amount)) == amount // 2**20


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_048_575, "1.0 MiB"),
        (5 * 2**30, "5.0 GiB"),
        (2**52, "4096.0 TiB"),
    ],
)
def test_bytes_are_short_to_read(amount: int, text: str) -> None:
    """Sizes never need more than four digits before the point."""
    assert human_bytes(amount) == text
