"""Cells: text that fits exactly, whatever it is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.text import clean
from ktui.widgets.cells import fit, fold, steady, width_of

_TEXTS = st.text(alphabet=st.sampled_from("abc-09 日本語🚢é́…한ｱ●❤️👍🏽") | st.characters(), max_size=40)


@given(_TEXTS, st.integers(1, 30), st.booleans())
def test_every_text_fits_exactly(text: str, width: int, right: bool) -> None:
    """Whatever strangers write, a cell takes the cells it was given."""
    assert width_of(fit(steady(clean(text)), width, right)) == width


@given(_TEXTS, st.integers(1, 30))
def test_a_folded_name_fits(text: str, width: int) -> None:
    """Cutting in the middle leaves no more than there is room for."""
    assert width_of(fit(fold(text, width), width)) == width


@pytest.mark.parametrize(
    ("text", "width", "folded"),
    [
        ("storefront-677c5b68d8-9sj9l", 20, "storefront-67…-9sj9l"),
        ("storefront", 10, "storefront"),
        ("storefront", 4, "st…t"),
        ("storefront", 1, "…"),
    ],
)
def test_a_name_keeps_its_end(text: str, width: int, folded: str) -> None:
    """What Kubernetes appended to a generated name stays."""
    assert fold(text, width) == folded


def test_a_cut_text_says_so() -> None:
    """A text that does not fit ends in `…`."""
    assert fit("checkout", 5) == "chec…"


def test_numbers_end_at_the_right() -> None:
    """Blanks go before a number."""
    assert fit("7", 4, right=True) == "   7"


def test_marks_upon_marks_cost_a_bounded_number_of_characters() -> None:
    """A letter with a thousand accents does not fill the line to the terminal."""
    assert len(fit("e" + "\u0301" * 1000, 10)) < 100
