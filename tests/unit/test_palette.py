"""Palettes: text can be read on every row."""

from __future__ import annotations

import pytest

from ktui.kinds.tone import Tone
from ktui.widgets.palette import (
    ANSI,
    DARK,
    HIGH_CONTRAST,
    LIGHT,
    TONE_INKS,
    Ink,
    Look,
    Palette,
    contrast,
    readable,
    styles_of,
    themes,
)

OURS = [DARK, LIGHT, HIGH_CONTRAST]
SECONDARY = [Ink.QUIET, Ink.FAINT]
TEXT = [ink for ink in Ink if ink not in (*SECONDARY, Ink.BORDER)]


def test_contrast_is_wcags() -> None:
    """White on black is 21 to 1, and a colour on itself 1 to 1."""
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#5fb3ff", "#5fb3ff") == pytest.approx(1)


@pytest.mark.parametrize("palette", OURS, ids=lambda palette: palette.name)
@pytest.mark.parametrize("look", list(Look))
@pytest.mark.parametrize("ink", TEXT)
def test_text_is_readable_on_its_row(palette: Palette, look: Look, ink: Ink) -> None:
    """Names, cells, tones and matches reach 4.5 to 1 on every kind of row."""
    assert contrast(palette.ink_on(ink, look), palette.ground(look)) >= 4.5


@pytest.mark.parametrize("palette", OURS, ids=lambda palette: palette.name)
@pytest.mark.parametrize("look", list(Look))
@pytest.mark.parametrize("ink", SECONDARY)
def test_secondary_text_is_readable_on_its_row(palette: Palette, look: Look, ink: Ink) -> None:
    """Namespaces, ages, nodes and addresses reach 3 to 1 on every kind of row."""
    assert contrast(palette.ink_on(ink, look), palette.ground(look)) >= 3


@pytest.mark.parametrize("palette", OURS, ids=lambda palette: palette.name)
@pytest.mark.parametrize("ink", [*TEXT, *SECONDARY])
def test_bars_are_readable(palette: Palette, ink: Ink) -> None:
    """Header and footer have a ground of their own."""
    assert contrast(palette.ink(ink), palette.bar) >= (3 if ink in SECONDARY else 4.5)


@pytest.mark.parametrize("palette", OURS, ids=lambda palette: palette.name)
def test_the_name_is_the_brightest_cell(palette: Palette) -> None:
    """Nothing on a plain row stands out more than its name."""
    name = contrast(palette.ink(Ink.NAME), palette.background)
    assert all(contrast(palette.ink(ink), palette.background) <= name for ink in Ink)


def test_readable_changes_no_more_than_it_must() -> None:
    """A colour that can be read already stays as it is."""
    assert readable("#ffb454", "#10141a", 4.5).lower() == "#ffb454"


def test_every_tone_has_an_ink() -> None:
    """A tone without a colour would raise when its first row appears."""
    assert set(TONE_INKS) == set(Tone)


def test_the_terminals_own_colours_name_no_others() -> None:
    """The `ansi` palette leaves every colour to the terminal."""
    styles = styles_of(ANSI)
    used = [
        colour for ink in Ink for look in Look for colour in (styles.of(ink, look).color, styles.of(ink, look).bgcolor)
    ]
    assert all(colour is not None and not colour.triplet for colour in used)


def test_themes_have_the_palettes_names() -> None:
    """Each palette can be chosen as a theme, and they define the same variables."""
    assert [theme.name for theme in themes()] == [DARK.name, LIGHT.name, HIGH_CONTRAST.name, ANSI.name]
    assert set(themes()[0].variables) == set(themes()[1].variables)
