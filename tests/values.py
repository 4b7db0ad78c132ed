"""Values of JSON by chance, of which many are hard to write as YAML: strategies for hypothesis."""

from __future__ import annotations

# ruff: noqa: E501, SIM905 - tables of texts
from functools import reduce
from typing import Any

from hypothesis import strategies as st

WORDS = st.sampled_from(
    "y Y yes No on OFF true False null Null ~ = << <<: - -- --- ... ? : ?: -: [] {} [ } , & * ! | |- > > ' \" % @ ` # "
    "1 -1 +1 017 0o17 0x1F 0b11 1_000 1e3 1E+3 1e400 -1e400 .5 5. .inf -.Inf .nan -0 -0.0 0.10 12:30:45 190:20:30.15 "
    "2020-01-01 2020-01-01T00:00:00Z 9223372036854775808 18446744073709551616 123456789012345678901234567890 "
    "a:b a#b http://x:80/#y --flag=x 100Mi 10.0.0.0/8 1.10 %YAML !!str &a *a {{.Values.x}} é 😀 \u00a0 \ufeff".split(
        " "
    )
)
"""What means something else without quotes, here or to other readers."""

ODD = st.text(
    st.sampled_from(
        "ab 01\t\n\r:-#?|>'\"%@`!&*{}[],=<~.\\/_eE\x00\x07\x1b\x7f\x85\xa0\xad\u200b\u2028\u2029\u202e\ufeff\ufffdé世😀"
    ),
    max_size=16,
)
"""Signs of YAML, white space of all sorts, and characters that are not seen."""

LINES = st.lists(
    st.sampled_from(
        ["", " ", "\t", "a", "  indented", "\ttab", "trailing ", "# no comment", "---", "...", "- x", "k: v", "é 😀", "x" * 90]
    )
    | ODD.map(lambda text: text.replace("\n", "")),
    min_size=2,
    max_size=8,
).map("\n".join)  # fmt: skip
"""Texts of several lines, as files in ConfigMaps are."""

TEXTS = WORDS | ODD | LINES | st.builds("{}{}{}".format, WORDS, st.sampled_from([" ", "\n", ": ", " #", ""]), WORDS)
NUMBERS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**30, 0, -1])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-0.0, 1e21, 1e22, 1e-7, 1.5e300, 5e-324, 1.0, 0.1])
)
KEYS = TEXTS | st.sampled_from(["a", "b", "app.kubernetes.io/name", "k" * 130, "k" * 1100])


def _deep(value: Any, steps: list[str | None]) -> Any:
    """A value in as many objects and lists as there are steps."""
    return reduce(lambda inner, key: [inner] if key is None else {key: inner}, steps, value)


VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=16,
)
"""Any value."""

OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5) | st.builds(
    lambda key, value, steps: {key: _deep(value, steps)}, KEYS, VALUES, st.lists(st.none() | KEYS, max_size=40)
)
"""Any object; some of them are deep."""


def read_as_json(value: Any) -> Any:
    """A value as Kubernetes reads it from JSON: integers have 64 bits, and larger ones are floats."""
    if isinstance(value, dict):
        return {key: read_as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [read_as_json(inner) for inner in value]
    return float(value) if type(value) is int and not -(2**63) <= value < 2**63 else value


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same; 1 is not true, but it is 1.0, which Kubernetes reads as 1."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return isinstance(other, int | float) and not isinstance(other, bool) and float(other) == one
    return type(one) is type(other) and bool(one == other)
