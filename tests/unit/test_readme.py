"""The README tells no lies about keys and files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.binding import Binding

from ktui.app import KEY_NAMES
from ktui.screens.home import HomeScreen
from ktui.screens.tables import TableScreen

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "binding",
    [each for page in (HomeScreen, TableScreen) for each in page.__dict__["BINDINGS"]],
    ids=lambda binding: binding.key,
)
def test_every_key_of_the_home_screen_stands_in_the_readme(binding: Binding) -> None:
    """A key that does something is told of."""
    keys = set(re.findall(r"`([^`]+)`", README))
    keys |= {"2", "3"} if "`1`–`4`" in README else set()
    assert KEY_NAMES.get(binding.key, binding.key) in keys


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_every_link_of_the_readme_leads_somewhere(target: str) -> None:
    """Pictures and pages that the README names exist."""
    assert (ROOT / target).exists()
