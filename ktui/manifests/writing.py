"""Values as YAML text, which Kubernetes, and every reader of YAML 1.1 or 1.2, reads back as the same value.

The style is kubectl's: two spaces a level, items of lists in the column of their key, quotes only where they are
needed, and texts of several lines as blocks. Lines are never folded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ktui.manifests.scalars import resolve

_LONGEST_KEY = 120
"""Characters of a key that stands before its colon; YAML ends at 1,024, escapes and quotes included."""

# Most keys and values: words that need no second look.
_WORD = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
# What other readers of YAML 1.1 take for something else than a text: times, numbers in base 60, `=` and `<<`.
_OTHERS = re.compile(
    r"\d{4}-\d\d?-\d\d?.*|[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?|=|<<|[-+]?(\d[\d_]*)?\.[\d_]*([eE][-+]?\d+)?"
    r"|[-+]?0o?[0-7_]+|[-+]?0[bx][\da-fA-F_]+|[-+]?(\.inf|\.Inf|\.INF)|[-+]?\d[\d_]*([eE][-+]?\d+)?"
)
# A plain scalar: nothing at its start that means something else, no `: ` and no ` #` inside, no space at its ends.
_PLAIN = re.compile(r"(?![-?:](?:\s|$)|---|\.\.\.)[^\s,\[\]{}#&*!|>'\"%@`](?:[^\s:#]|:(?!\s|$)|(?<! )#| (?!#))*(?<! )")
_NOT_PRINTED = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff"
)
# Characters that are escaped, which only double quotes can. Among them are those that turn the direction of writing or
# are not seen at all: whoever edits a text should see what it says.
_ESCAPED = re.compile(f"[{_NOT_PRINTED}]")
_QUOTED = re.compile(rf'[\\"\t\n{_NOT_PRINTED}]')
_ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x07": "\\a", "\x08": "\\b",
    "\x0b": "\\v", "\x0c": "\\f", "\x1b": "\\e",
}  # fmt: skip


def write(value: Any) -> str:
    """A JSON value as YAML text.

    Args:
        value: dicts with text as keys, lists, texts, numbers, booleans and None; of any depth. What Kubernetes cannot
            say, it does not read back: integers beyond 64 bits lose digits, halves of surrogates become U+FFFD.
    """
    pieces: list[str] = []
    if isinstance(value, dict) and value:
        _write_object(value, "", pieces, "")
    elif isinstance(value, list) and value:
        _write_list(value, "", pieces, "")
    else:
        pieces.append(f"{_scalar(value, '  ')}\n")
    return "".join(pieces)


def _write_object(value: dict[str, Any], indent: str, pieces: list[str], first: str) -> None:
    """Write the fields of an object.

    Args:
        value: the object; not empty.
        indent: before each line but the first.
        pieces: where to write it.
        first: before the first line: what the object is an item of has begun it.
    """
    deeper = indent + "  "
    for key, inner in value.items():
        pieces.append(first)
        first = indent
        said = _key(key)
        if len(said) > _LONGEST_KEY:
            pieces.append(f"? {said}\n{indent}:")
        else:
            pieces.append(f"{said}:")
        if inner.__class__ is str:
            pieces.append(f" {_text(inner, deeper)}\n")
        elif isinstance(inner, dict) and inner:
            pieces.append("\n")
            _write_object(inner, deeper, pieces, deeper)
        elif isinstance(inner, list) and inner:
            pieces.append("\n")
            _write_list(inner, indent, pieces, indent)
        else:
            pieces.append(f" {_scalar(inner, deeper)}\n")


def _write_list(value: list[Any], indent: str, pieces: list[str], first: str) -> None:
    """Write the items of a list; see `_write_object`."""
    deeper = indent + "  "
    for item in value:
        pieces.append(f"{first}-")
        first = indent
        if isinstance(item, dict) and item:
            _write_object(item, deeper, pieces, " ")
        elif isinstance(item, list) and item:
            _write_list(item, deeper, pieces, " ")
        else:
            pieces.append(f" {_scalar(item, deeper)}\n")


def _scalar(value: Any, indent: str) -> str:
    """A value that stands behind its key; `indent` is that of the lines of a block."""
    if isinstance(value, str):
        return _text(value, indent)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    return str(value) if isinstance(value, int) else "{}" if isinstance(value, dict) else "[]"


def _float(value: float) -> str:
    """A number that readers of YAML 1.1 take for one, too: they want the dot."""
    said = repr(value)
    return said if "e" not in said or "." in said else said.replace("e", ".0e")


def _text(text: str, indent: str) -> str:
    if "\n" in text and (block := _block(text, indent)):
        return block
    return _line(text) if len(text) < 200 else _any_line(text)


def _block(text: str, indent: str) -> str | None:
    """A text of several lines as a literal block, without its last line break; None where a block cannot hold it."""
    first = text.lstrip("\n")
    # Readers differ in what they make of a block that begins with a tab; and space at the end is easily lost.
    if not first or first[0] == "\t" or text[-1] in " \t" or not text.strip() or _ESCAPED.search(text):
        return None
    body = text.rstrip("\n")
    if not body.strip(" \t\n"):
        return None
    ends = len(text) - len(body)
    sign = ("|2" if text[0] in " \n" else "|") + ("-" if not ends else "" if ends == 1 else "+")
    lines = body.replace("\n", f"\n{indent}")
    if "\n\n" in body:
        lines = lines.replace(f"\n{indent}\n", "\n\n").replace(f"\n{indent}\n", "\n\n")
    lead = "" if body[0] == "\n" else indent
    return f"{sign}\n{lead}{lines}{text[len(body) + 1 :]}"


def _key(key: Any) -> str:
    return _line(key) if isinstance(key, str) else _line(str(key))


@lru_cache(8192)
def _line(text: str) -> str:
    """A text in one line, and with quotes where it needs them."""
    return _any_line(text)


def _any_line(text: str) -> str:
    if _WORD.fullmatch(text) and resolve(text) is text:
        return text
    if _ESCAPED.search(text) or "\n" in text or "\t" in text:
        return f'"{_QUOTED.sub(_escape, text)}"'
    if not isinstance(resolve(text), str) or _OTHERS.fullmatch(text):
        # A date may have anything behind it.
        return f'"{_QUOTED.sub(_escape, text)}"'
    if _PLAIN.fullmatch(text):
        return text
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    code = ord(char)
    if (short := _ESCAPES.get(char)) is not None:
        return short
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}"
