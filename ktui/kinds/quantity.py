"""Quantities of resources as Kubernetes writes them: `250m` of CPU, `64Mi` of memory."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

_SUFFIXES = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(1 << 10),
    "Mi": Decimal(1 << 20),
    "Gi": Decimal(1 << 30),
    "Ti": Decimal(1 << 40),
    "Pi": Decimal(1 << 50),
    "Ei": Decimal(1 << 60),
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)", re.ASCII)


@lru_cache(maxsize=16384)
def quantity(text: str) -> Decimal | None:
    """The exact number a quantity stands for, in cores, bytes or pieces; None when it is not a quantity.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

    Args:
        text: `100m`, `12345678n`, `64Mi`, `1.5G`, `1e3`.
    """
    if (match := _QUANTITY.fullmatch(text)) is None:
        return None
    number, exponent, suffix = match.groups()
    if exponent is not None:
        return Decimal(number).scaleb(int(exponent))
    return Decimal(number) * _SUFFIXES[suffix or ""]


def canonical(amount: Decimal, *, binary: bool) -> str:
    """A number as the API server writes it: with the largest suffix that needs no fraction, `1500m`, `8828Ki`.

    Args:
        amount: cores or bytes, exact.
        binary: with Ki, Mi ... as memory is written; with n, u, m, k ... otherwise.
    """
    if not amount:
        return "0"
    units = {unit: suffix for suffix, unit in _SUFFIXES.items() if not suffix or suffix.endswith("i") is binary}
    unit = next((unit for unit in sorted(units, reverse=True) if amount % unit == 0), None)
    return f"{amount:f}" if unit is None else f"{int(amount / unit)}{units[unit]}"


def millicores(cores: Decimal) -> int:
    """Cores in thousandths, rounded up as `kubectl top` does."""
    return int((cores * 1000).to_integral_value(ROUND_CEILING))


def mebibytes(amount: Decimal) -> int:
    """Bytes in whole MiB, rounded down as `kubectl top` does."""
    return int(amount) >> 20


def human_bytes(amount: int) -> str:
    """Bytes for reading: `0 B`, `12 B`, `3.4 KiB`, `1.2 GiB`."""
    if amount < 1024:
        return f"{amount} B"
    size = float(amount)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        size /= 1024
        if size < 1023.95 or unit == "TiB":
            break
    return f"{size:.1f} {unit}"
