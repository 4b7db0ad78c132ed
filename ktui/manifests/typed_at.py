"""What is being typed somewhere in a manifest: a text in the midst of a change is seldom one that can be read.

Only indentation, dashes and colons count, from the cursor upwards.
"""

from __future__ import annotations

from collections.abc import Sequence

from ktui.manifests.definitions import GVK, gvk_of
from ktui.manifests.problems import Path


def typed_at(lines: Sequence[str], row: int, column: int) -> tuple[Path, str]:
    """The field whose keys, or whose value, is being typed at a place, and what of the word stands there already.

    Args:
        lines: of the text.
        row, column: of the cursor, counted from 0.

    Returns:
        The path of the map whose key is typed, or of the field whose value is; and the beginning of the word. Items of
        lists are all taken for the first.
    """
    line = lines[row][:column]
    parents = _parents(lines, row, line)
    word = line.rsplit(" ", 1)[-1].lstrip("-")
    if (key := _key(line)) is not None:
        return (*parents, key), word
    return parents, word


def document_at(lines: Sequence[str], row: int) -> GVK | None:
    """Group, version and kind of the document in which a line is; None when it does not say them.

    Args:
        lines: of the text.
        row: counted from 0.
    """
    first = next((at + 1 for at in range(row, -1, -1) if lines[at].startswith("---")), 0)
    said: dict[str, str] = {}
    for line in lines[first:]:
        if line.startswith("---"):
            break
        if line.startswith(("apiVersion:", "kind:")):
            key, _, value = line.partition(":")
            said.setdefault(key, value.partition(" #")[0].strip().strip("\"'"))
        if len(said) == 2:
            return gvk_of(said)
    return None


def _parents(lines: Sequence[str], row: int, line: str) -> Path:
    path: list[str | int] = []
    depth = _depth(line)
    if line.lstrip(" ").startswith("-"):
        path.insert(0, 0)
        depth = _indent(line)
    for above in reversed(lines[:row]):
        if above.startswith("---"):
            break
        body = above.lstrip(" ")
        if not body or body.startswith("#"):
            continue
        indent, own = _indent(above), _depth(above)
        if body.startswith("-") and own == depth and indent < depth:
            # A field before this one in the same item.
            path.insert(0, 0)
            depth = indent
        elif own < depth or (indent == depth and path[:1] == [0] and not body.startswith("-")):
            # A list may stand as deep as the key that it belongs to.
            if (key := _key(above)) is None:
                break
            path.insert(0, key)
            depth = own
            if body.startswith("-"):
                path.insert(0, 0)
                depth = indent
    return tuple(path)


def _key(line: str) -> str | None:
    """The key of a line that has one."""
    key, colon, _ = line.lstrip("- ").partition(":")
    return key.strip("\"'") if colon else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _depth(line: str) -> int:
    """Where the field of a line begins, behind the dashes of items."""
    return len(line) - len(line.lstrip(" -"))
