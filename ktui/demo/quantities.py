"""Quantities such as 500m and 1.5Gi: their values, and the one way in which the API server writes each.

As https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ says; kubernetes apimachinery
`pkg/api/resource`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil, floor

_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_SUFFIXES = {suffix: Fraction(10) ** power for power, suffix in _DECIMAL.items()} | {
    suffix: Fraction(1024**power) for power, suffix in enumerate(_BINARY)
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)", re.ASCII)


def quantity(text: object) -> Fraction | None:
    """The value of a quantity such as "250m" or "1.5Gi", None when it is none."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        return None
    number, exponent, suffix = found.groups()
    return Fraction(number) * (Fraction(f"1{exponent}") if exponent else _SUFFIXES[suffix or ""])


def canonical(text: str, parts: int = 10**9) -> str:
    """A quantity as the API server writes it: without fractions, and with the largest suffix of its sort.

    Args:
        text: a quantity; whatever is none comes back as it is.
        parts: of one, how many are told apart; what is finer is rounded away from zero.
    """
    value = quantity(text)
    if value is None:
        return text
    value = Fraction((ceil if value > 0 else floor)(value * parts), parts)
    if value == 0:
        return "0"
    if text.endswith("i") and value.denominator == 1 and abs(value) >= 1024:
        power = 0
        while value % 1024 == 0 and power < len(_BINARY) - 1:
            value, power = value / 1024, power + 1
        return f"{value}{_BINARY[power]}"
    power = 18
    while (value / Fraction(10) ** power).denominator != 1:
        power -= 3
    number = value / Fraction(10) ** power
    if re.search(r"[eE][+-]?\d+$", text):
        return f"{number}e{power}" if power else str(number)
    return f"{number}{_DECIMAL[power]}"
