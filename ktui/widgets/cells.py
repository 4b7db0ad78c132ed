"""Text in terminal cells: how wide it is, and how it is made to fit.

Widths are those Rich knows (two cells for CJK and emoji, none for combining marks), because Textual's compositor counts
with the same ones.
"""

from __future__ import annotations

from rich.cells import cell_len, get_character_cell_size

# Variation selectors ask for another shape of the character before them, and terminals disagree on how wide that is.
_SELECTORS = dict.fromkeys((0xFE0E, 0xFE0F))
# Characters kept for each cell of width: marks upon marks on one letter would otherwise cost bytes without end.
_CHARACTERS_A_CELL = 4
# The dash and the five random characters that Kubernetes appends (metadata.generateName).
_TAIL = 6


def steady(text: str) -> str:
    """`text` without the characters of whose width no two terminals agree."""
    return text if text.isascii() else text.translate(_SELECTORS)


def width_of(text: str) -> int:
    """The cells that `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, right: bool = False) -> str:
    """`text` in exactly `width` cells: padded with blanks, or cut with `…`.

    Args:
        text: any text on one line.
        width: cells, at least 1.
        right: whether it is aligned to the right.
    """
    if not text.isascii():
        text = text[: width * _CHARACTERS_A_CELL]
    taken = width_of(text)
    if taken > width:
        text, taken = cut(text, width)
    blanks = " " * (width - taken)
    return blanks + text if right else text + blanks


def fold(text: str, width: int) -> str:
    """`text` cut in its middle: the end of a generated name (`storefront-677c5…-9sj9l`) is what tells it from others.

    Args:
        text: a name.
        width: cells, at least 1.
    """
    if len(text) <= width or not text.isascii():
        return text
    tail = min(_TAIL, (width - 1) // 3)
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def cut(text: str, width: int) -> tuple[str, int]:
    """`text` cut to at most `width` cells with `…` at the end, and the cells it takes: a wide character may not fit."""
    if text.isascii():
        return text[: width - 1] + "…", width
    taken, end = 0, 0
    for character in text:
        size = get_character_cell_size(character)
        if taken + size > width - 1:
            break
        taken += size
        end += 1
    return text[:end] + "…", taken + 1
