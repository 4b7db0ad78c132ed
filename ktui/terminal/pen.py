"""Pen: how a terminal draws characters, and how it is told to draw them otherwise in as few bytes as possible."""

from __future__ import annotations

from functools import cache, lru_cache

from rich.color import ColorSystem
from rich.style import Style

# SGR codes by attribute, and what ends them (ECMA-48, section 8.3.117). 22 ends both bold and dim.
_ATTRIBUTES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "blink": "5",
    "reverse": "7",
    "conceal": "8",
    "strike": "9",
    "underline2": "21",
    "overline": "53",
}
_ENDS = {
    "1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29", "21": "24", "53": "55",
}  # fmt: skip
# What is seen of a blank, besides its ground.
_SEEN_ON_BLANKS = frozenset({"4", "7", "9", "21", "53"})

DEFAULT_GROUND = "49"


class Pen:
    """One way to draw characters. Equal pens are the same object.

    Args:
        attributes: SGR codes of what is switched on.
        colour: SGR code of the ink.
        ground: SGR code of the background.

    Attributes:
        blank: what a blank drawn with it looks like; of two pens with the same, either may draw it.
        plain: whether a blank drawn with it shows nothing but its ground.
    """

    __slots__ = ("attributes", "blank", "colour", "ground", "plain")

    def __init__(self, attributes: frozenset[str], colour: str, ground: str) -> None:
        self.attributes, self.colour, self.ground = attributes, colour, ground
        self.plain = not attributes & _SEEN_ON_BLANKS
        self.blank = ground if self.plain else ";".join((*sorted(attributes), colour, ground))


@cache
def pen(attributes: frozenset[str] = frozenset(), colour: str = "39", ground: str = DEFAULT_GROUND) -> Pen:
    """The pen with these SGR codes; without any, that of a terminal that was reset."""
    return Pen(attributes, colour, ground)


@lru_cache(maxsize=1024)
def pen_of(style: Style | None, system: ColorSystem) -> Pen:
    """The pen of a style.

    Args:
        style: how text looks; None for nothing special.
        system: the colours that the terminal has.
    """
    if style is None:
        return pen()
    attributes = frozenset(code for name, code in _ATTRIBUTES.items() if getattr(style, name))
    colour = ";".join(style.color.downgrade(system).get_ansi_codes()) if style.color else "39"
    ground = ";".join(style.bgcolor.downgrade(system).get_ansi_codes(foreground=False)) if style.bgcolor else "49"
    return pen(attributes, colour, ground)


@lru_cache(maxsize=4096)
def turn(now: Pen | None, wanted: Pen) -> str:
    """The escape sequence after which a terminal draws with another pen.

    Args:
        now: what it draws with; None when nobody knows.
        wanted: what it is to draw with.
    """
    if now is wanted:
        return ""
    codes = []
    if now is None:
        codes, now = ["0"], pen()
    ends = {_ENDS[code] for code in now.attributes - wanted.attributes}
    # What an end takes away besides, as 22 takes both bold and dim, begins again.
    begins = {code for code in wanted.attributes if code not in now.attributes or _ENDS[code] in ends}
    codes += sorted(ends) + sorted(begins)
    if wanted.colour != now.colour:
        codes.append(wanted.colour)
    if wanted.ground != now.ground:
        codes.append(wanted.ground)
    return f"\x1b[{';'.join(codes)}m"
