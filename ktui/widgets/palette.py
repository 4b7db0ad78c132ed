"""Colours: the themes of ktui, and which ink is readable on which row.

A `Palette` names colours by what they are for. From one come the Textual theme (with CSS variables such as `$quiet` and
`$key`) and the Rich styles that the Line-API widgets paint with.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from ktui.kinds.tone import Tone


class Ink(Enum):
    """What a piece of text is; palettes give it a colour."""

    NAME = auto()
    TEXT = auto()
    QUIET = auto()
    FAINT = auto()
    TITLE = auto()
    BORDER = auto()
    FOCUS = auto()
    KEY = auto()
    MATCH = auto()
    GOOD = auto()
    WORKING = auto()
    WARNING = auto()
    FAILED = auto()


class Look(Enum):
    """What a line is; palettes give it a background."""

    PLAIN = auto()
    RELATED = auto()
    CURSOR = auto()
    IDLE_CURSOR = auto()


TONE_INKS = {
    Tone.PLAIN: Ink.TEXT,
    Tone.GOOD: Ink.GOOD,
    Tone.WORKING: Ink.WORKING,
    Tone.WARNING: Ink.WARNING,
    Tone.FAILED: Ink.FAILED,
    Tone.FINISHED: Ink.QUIET,
    Tone.UNKNOWN: Ink.WARNING,
}

# WCAG 2.2, success criteria 1.4.3 and 1.4.11: contrast of text, and of what only supports it.
TEXT_CONTRAST = 4.5
QUIET_CONTRAST = 3.0
_SUPPORTING = {Ink.QUIET, Ink.FAINT, Ink.BORDER}
_UNTONED = {Ink.NAME, Ink.TEXT, Ink.QUIET, Ink.FAINT}


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of a theme, as `#rrggbb` or as Textual's `ansi_*` names.

    Attributes:
        name: the theme's name.
        dark: whether light text stands on a dark ground.
        background: of everything but bars and marked rows.
        bar: the ground of header and footer.
        text: ordinary cells.
        bright: names, the brightest cell of a row.
        quiet: what rows have besides: namespaces, ages, nodes, addresses; and column headers.
        faint: what is said by the way.
        border: lines around panes.
        focus: the line and title of the pane that has the keyboard.
        key: keys in the footer, marks, and the bar of related rows.
        cursor: the ground of the row under the cursor.
        idle_cursor: the same while the keyboard is elsewhere.
        related: the ground of rows that belong to the one under the cursor.
        good, working, warning, failed: the colours of tones.
        on_cursor: one ink for the whole row under the cursor, where tones could not be read on its ground.
        ansi: whether the terminal's own 16 colours are used, of which nobody knows what they look like.
    """

    name: str
    dark: bool
    background: str
    bar: str
    text: str
    bright: str
    quiet: str
    faint: str
    border: str
    focus: str
    key: str
    cursor: str
    idle_cursor: str
    related: str
    good: str
    working: str
    warning: str
    failed: str
    on_cursor: str = ""
    ansi: bool = False

    def ground(self, look: Look) -> str:
        """The background of a line."""
        return {
            Look.PLAIN: self.background,
            Look.RELATED: self.related,
            Look.CURSOR: self.cursor,
            Look.IDLE_CURSOR: self.idle_cursor,
        }[look]

    def ink(self, ink: Ink) -> str:
        """The colour of a text on the plain background."""
        return {
            Ink.NAME: self.bright,
            Ink.TEXT: self.text,
            Ink.QUIET: self.quiet,
            Ink.FAINT: self.faint,
            Ink.TITLE: self.text,
            Ink.BORDER: self.border,
            Ink.FOCUS: self.focus,
            Ink.KEY: self.key,
            Ink.MATCH: self.key,
            Ink.GOOD: self.good,
            Ink.WORKING: self.working,
            Ink.WARNING: self.warning,
            Ink.FAILED: self.failed,
        }[ink]

    def ink_on(self, ink: Ink, look: Look) -> str:
        """The colour of a text on a line's background, made readable where that background is not the plain one."""
        if look is Look.CURSOR:
            if self.on_cursor:
                return self.on_cursor
            if ink in _UNTONED:
                # One ink for all cells without a tone: half of what a step of the cursor writes is colours.
                return self.bright
        colour = self.ink(ink)
        if self.ansi or look is Look.PLAIN:
            return colour
        return readable(colour, self.ground(look), QUIET_CONTRAST if ink in _SUPPORTING else TEXT_CONTRAST)


DARK = Palette(
    name="ktui-dark",
    dark=True,
    background="#10141a",
    bar="#1c2430",
    text="#d7dee8",
    bright="#f4f8fc",
    quiet="#8aa0b8",
    faint="#71839a",
    border="#2b3645",
    focus="#5fb3ff",
    key="#ffb454",
    cursor="#24405f",
    idle_cursor="#1e2732",
    related="#1b2a3d",
    good="#7fd88f",
    working="#5fb3ff",
    warning="#f2c55c",
    failed="#ff6b6b",
)
LIGHT = Palette(
    name="ktui-light",
    dark=False,
    background="#fbfcfd",
    bar="#e4eaf1",
    text="#24303d",
    bright="#05080c",
    quiet="#566a80",
    faint="#6a7c90",
    border="#c2ccd8",
    focus="#0b62b5",
    key="#9a4f00",
    cursor="#cbe0f7",
    idle_cursor="#e9edf2",
    related="#eaf3fc",
    good="#1a7334",
    working="#0b62b5",
    warning="#855400",
    failed="#c0202b",
)
HIGH_CONTRAST = Palette(
    name="ktui-high-contrast",
    dark=True,
    background="#000000",
    bar="#000000",
    text="#ffffff",
    bright="#ffffff",
    quiet="#e0e0e0",
    faint="#d0d0d0",
    border="#a0a0a0",
    focus="#00e5ff",
    key="#ffd500",
    cursor="#ffffff",
    idle_cursor="#333333",
    related="#00264d",
    good="#5cff7a",
    working="#66d9ff",
    warning="#ffe14d",
    failed="#ff9a9a",
    on_cursor="#000000",
)
ANSI = Palette(
    name="ktui-ansi",
    dark=True,
    background="ansi_default",
    bar="ansi_default",
    text="ansi_default",
    bright="ansi_default",
    quiet="ansi_default",
    faint="ansi_default",
    border="ansi_default",
    focus="ansi_cyan",
    key="ansi_yellow",
    cursor="ansi_blue",
    idle_cursor="ansi_default",
    related="ansi_default",
    good="ansi_green",
    working="ansi_cyan",
    warning="ansi_yellow",
    failed="ansi_red",
    on_cursor="ansi_bright_white",
    ansi=True,
)
PALETTES = {palette.name: palette for palette in (DARK, LIGHT, HIGH_CONTRAST, ANSI)}


def palette_of(app: App[Any]) -> Palette:
    """The palette of the theme that `app` shows; of a theme that is not ours, the one that comes nearest."""
    theme = app.current_theme
    if (found := PALETTES.get(theme.name)) is not None:
        return found
    if theme.ansi:
        return ANSI
    return DARK if theme.dark else LIGHT


def themes() -> list[Theme]:
    """Textual themes for all palettes, for `App.register_theme`."""
    return [_theme(palette) for palette in PALETTES.values()]


class Styles:
    """The Rich styles of a palette: each is made once, so that equal styles are the same object.

    Args:
        palette: where colours come from.
    """

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._made: dict[tuple[Ink, Look, bool], Style] = {}

    def of(self, ink: Ink, look: Look = Look.PLAIN, bold: bool = False) -> Style:
        """The style of a piece of text.

        Args:
            ink: what it is.
            look: what its line is.
            bold: whether it is bold.
        """
        key = (ink, look, bold)
        if (style := self._made.get(key)) is None:
            style = self._made[key] = self._make(ink, look, bold)
        return style

    def _make(self, ink: Ink, look: Look, bold: bool) -> Style:
        palette = self.palette
        single = look is Look.CURSOR and bool(palette.on_cursor)
        return Style(
            color=Color.parse(palette.ink_on(ink, look)).rich_color,
            bgcolor=Color.parse(palette.ground(look)).rich_color,
            # None and not False: an attribute that is set to off would still be written.
            bold=True if bold or (palette.ansi and ink is Ink.NAME) else None,
            dim=True if palette.ansi and not single and ink in _SUPPORTING else None,
            underline=True if ink is Ink.MATCH else None,
        )


@lru_cache(maxsize=8)
def styles_of(palette: Palette) -> Styles:
    """The styles of a palette, shared by all widgets."""
    return Styles(palette)


def contrast(one: str, other: str) -> float:
    """How far two colours stand apart, from 1 to 21.

    Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio

    Args:
        one, other: colours as `#rrggbb`.
    """
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@lru_cache(maxsize=512)
def readable(colour: str, ground: str, ratio: float) -> str:
    """`colour`, moved towards white or black only as far as it must to be read on `ground`.

    Args:
        colour, ground: colours as `#rrggbb`.
        ratio: the contrast to reach.
    """
    ink, on = Color.parse(colour), Color.parse(ground)
    away = Color.parse("#ffffff" if _luminance(ground) < 0.18 else "#000000")
    for step in range(21):
        found = ink.blend(away, step / 20).hex6
        if contrast(found, on.hex6) >= ratio:
            return found
    return away.hex6


def _luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = Color.parse(colour).normalized
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def _theme(palette: Palette) -> Theme:
    on_cursor = palette.on_cursor or palette.bright
    return Theme(
        name=palette.name,
        dark=palette.dark,
        ansi=palette.ansi,
        primary=palette.focus,
        secondary=palette.working,
        accent=palette.key,
        success=palette.good,
        warning=palette.warning,
        error=palette.failed,
        foreground=palette.text,
        background=palette.background,
        surface=palette.background,
        panel=palette.bar,
        boost=palette.bar,
        variables={
            # Textual's own style sheets name variables that only its theme of 16 colours has.
            **(BUILTIN_THEMES["ansi-dark"].variables if palette.ansi else {}),
            "bar": palette.bar,
            "bright": palette.bright,
            "quiet": palette.quiet,
            "faint": palette.faint,
            "key": palette.key,
            "good": palette.good,
            "working": palette.working,
            "failed": palette.failed,
            "row-cursor": palette.cursor,
            "row-related": palette.related,
            "border": palette.focus,
            "border-blurred": palette.border,
            "block-cursor-background": palette.cursor,
            "block-cursor-foreground": on_cursor,
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-background": palette.idle_cursor,
            "block-cursor-blurred-foreground": palette.text,
            "block-cursor-blurred-text-style": "none",
            "input-cursor-background": palette.focus,
            "input-cursor-foreground": "ansi_black" if palette.ansi else palette.background,
            "input-selection-background": palette.cursor,
            "input-selection-foreground": on_cursor,
            "footer-background": palette.bar,
            "footer-foreground": palette.text,
            "footer-description-background": palette.bar,
            "footer-description-foreground": palette.quiet,
            "footer-key-background": palette.bar,
            "footer-key-foreground": palette.key,
            "scrollbar": palette.border,
            "scrollbar-hover": palette.quiet,
            "scrollbar-active": palette.focus,
            "scrollbar-background": palette.background,
            "scrollbar-background-hover": palette.background,
            "scrollbar-background-active": palette.background,
            "scrollbar-corner-color": palette.background,
        },
    )
