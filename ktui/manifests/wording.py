"""What libyaml complains about, in plain words."""

from __future__ import annotations

import re
from typing import NamedTuple

from yaml import MarkedYAMLError


class Complaint(NamedTuple):
    """Why a text is no YAML.

    Attributes:
        offset: where to show it.
        culprit: where the lines begin that are to blame.
        message: in plain words.
    """

    offset: int
    culprit: int
    message: str


_STARTS = {
    "@": "a text that begins with @ needs quotes",
    "`": "a text that begins with ` needs quotes",
    "%": "a text that begins with % needs quotes",
}
_INDENT = re.compile(r"[ \t]*")

# By libyaml's words, ours. Those with another place to show than libyaml's stand in `understood`.
_WORDS = {
    "block sequence entries are not allowed in this context": "a list item needs a line of its own",
    "mapping keys are not allowed in this context": "a key cannot stand here",
    "found unknown escape character": "unknown escape: write \\\\ for a backslash, or use single quotes",
    "did not find expected hexdecimal number": "an escape needs hexadecimal digits",
    "found invalid Unicode character escape code": "the escape stands for no character",
    "found undefined tag handle": "unknown tag",
    "found a tab character where an indentation space is expected": "a tab cannot indent: use spaces",
    "found an indentation indicator equal to 0": "the indentation of a block is 1 to 9",
    "did not find expected comment or line break": "unexpected text behind the sign of a block",
    "found unexpected document indicator": "the quotes are not closed before the next document",
    "did not find expected node content": "a value is missing",
    "did not find expected tag URI": "a text that begins with ! needs quotes, unless it is a tag",
    "did not find expected whitespace or line break": "unexpected text behind a tag or an anchor",
    "did not find URI escaped octet": "a % in a tag needs two hexadecimal digits",
    "found duplicate %YAML directive": "%YAML stands twice",
    "found incompatible YAML document": "this version of YAML is not read",
    "could not find expected directive name": "a text that begins with % needs quotes",
    "found unknown directive name": "a text that begins with % needs quotes",
    "did not find expected '-' indicator": "the column does not fit: it is that of a list whose items begin with -",
}


def understood(error: MarkedYAMLError, text: str) -> Complaint:
    """Where a text is wrong and why, as people would say it.

    Args:
        error: as the parser raised it.
        text: what it read.
    """
    problem, mark, context = error.problem or "", error.problem_mark, error.context_mark
    place = min(mark.index if mark else context.index if context else 0, len(text))
    begin = min(context.index, len(text)) if context else place
    started = error.context or ""
    if tab := _tab(text, place):
        return tab
    if problem == "found character that cannot start any token":
        char = text[place : place + 1]
        return Complaint(place, place, _STARTS.get(char, f"a value cannot begin with `{char}`: use quotes"))
    if problem == "could not find expected ':'":
        return Complaint(begin, begin, "neither `key: value` nor an item of a list: is a colon missing?")
    if problem in ("did not find expected key", "did not find expected <document start>"):
        return Complaint(place, place, _misplaced(text, place, key=problem.endswith("key")))
    if problem == "mapping values are not allowed in this context":
        return Complaint(place, place, _colon(text, place))
    if "quoted scalar" in started and problem.startswith("found unexpected"):
        return Complaint(begin, begin, "the quotes are not closed")
    if "flow" in started and problem.startswith("did not find expected ','"):
        bracket = "]" if "sequence" in started else "}"
        return Complaint(place, begin, f"a comma or `{bracket}` is missing{_opened(text, begin, place)}")
    if problem == "did not find expected alphabetic or numeric character":
        sign = text[begin : begin + 1]
        return Complaint(begin, begin, f"a text that begins with {sign} needs quotes, unless it is a name")
    return Complaint(place, place, _WORDS.get(problem, problem or started or "this is no YAML"))


def _tab(text: str, place: int) -> Complaint | None:
    """A tab in the indentation of a line, which the parser stumbles over there or somewhat later."""
    start = text.rfind("\n", 0, place) + 1
    indent = _INDENT.match(text, start)[0]  # type: ignore[index]
    if "\t" not in indent:
        return None
    found = start + indent.index("\t")
    return Complaint(found, found, "a tab cannot indent: use spaces")


def _colon(text: str, place: int) -> str:
    """Why a colon makes no key where it is."""
    start = text.rfind("\n", 0, place) + 1
    if re.search(r":[ \t]", text[start:place]):
        return "a second colon in one line: a text with `: ` in it needs quotes"
    above = next((line for line in reversed(text[:start].split("\n")) if line.strip(" -") and "#" not in line), "")
    if above and ": " not in above and not above.rstrip().endswith(":"):
        return "a key cannot stand here: is a colon missing in the line above?"
    return "a key cannot stand here: it is indented deeper than the key above, which has a value"


def _misplaced(text: str, place: int, *, key: bool) -> str:
    """Why something cannot stand where it is, though by itself it is fine."""
    start = text.rfind("\n", 0, place) + 1
    if text[start:place].strip(" -"):
        return "unexpected text behind a value: if it belongs to it, all of it needs quotes"
    if key and text.startswith("- ", place):
        return "an item of a list cannot stand among keys"
    first = re.search(r"^( *)[^ #\n]", text, re.MULTILINE)
    if key or (first and len(first[1]) > place - start):
        return "the indentation does not fit: no key above begins in this column"
    return "unexpected text: a new document needs a line of --- before it"


def _opened(text: str, begin: int, place: int) -> str:
    """Which bracket is meant, when it was opened some lines before."""
    lines = text.count("\n", begin, place)
    if not lines:
        return ""
    ago = "on the line before" if lines == 1 else f"{lines} lines before"
    return f": `{text[begin : begin + 1]}` was opened {ago}"
