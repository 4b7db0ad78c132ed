"""What a scalar of YAML stands for, as Kubernetes reads it.

kubectl and the API server read YAML by sigs.k8s.io/yaml: go-yaml v2 resolves the scalars, and what it finds goes
through JSON, whose numbers become int64 or float64. Sources, whose rules stand here one by one:
https://github.com/yaml/go-yaml/blob/v2/resolve.go, https://github.com/kubernetes-sigs/yaml/blob/v1.6.0/yaml.go and
https://pkg.go.dev/k8s.io/apimachinery/pkg/util/json.
"""

from __future__ import annotations

import binascii
import re
import struct
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from math import isfinite, isinf, isnan

Scalar = str | int | float | bool | None

TAG = "tag:yaml.org,2002:"
"""What `!!` stands for."""

_LEAST, _MOST, _MOST_UNSIGNED = -(2**63), 2**63 - 1, 2**64 - 1

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# A number that begins with a dot may have underscores, each between two digits.
_DOT_FLOAT = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_INTEGERS = (
    (re.compile(r"([-+]?)0[bB]([01]+)"), 2),
    (re.compile(r"([-+]?)0[oO]([0-7]+)"), 8),
    (re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([-+]?)0([0-7]+)"), 8),
    (re.compile(r"([-+]?)(0|[1-9][0-9]*)"), 10),
    # go-yaml cuts off the prefix and reads the rest as a number with a sign of its own.
    (re.compile(r"0b([-+])([01]+)"), 2),
)
# More digits than 64 bits can have, and fewer than Python refuses to read; leading zeros aside, which nobody writes.
_MOST_DIGITS = 4000
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d))|(?: (\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?))?",
    re.ASCII,
)


class NotReadable(ValueError):  # noqa: N818 - it is the scalar that is not
    """A scalar that its tag forbids. Its text says so in plain words."""


@lru_cache(4096)
def plain(text: str) -> Scalar:
    """What a plain scalar stands for as a value: text without quotes and without a tag.

    Returns:
        A float that is not finite is what JSON has no word for, and Kubernetes refuses.
    """
    return as_json(resolve(text))


def resolve(text: str) -> Scalar:
    """What a plain scalar stands for in go-yaml, before its way through JSON: integers are those of 64 bits there."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if text[0] == ".":
        form, digits = _DOT_FLOAT, text
    else:
        form, digits = _FLOAT, text.replace("_", "")
        if (whole := _integer(digits)) is not None:
            return whole
    # What is too large for a float stays a text.
    return found if form.fullmatch(digits) and not isinf(found := float(digits)) else text


def tagged(tag: str, text: str) -> Scalar:
    """What a scalar with a tag stands for in go-yaml, quoted or not.

    Args:
        tag: in full.
        text: the scalar's.

    Raises:
        NotReadable: it is not what the tag says.
    """
    kind = tag.removeprefix(TAG) if tag.startswith(TAG) else ""
    if kind == "binary":
        return _binary(text)
    if kind == "timestamp":
        if _is_timestamp(text):
            return text
        raise NotReadable(f"{_short(text)} is no time, as !!timestamp says")
    if kind not in _NAMES:
        return text
    found = resolve(text)
    if kind == "float" and type(found) is int and found <= _MOST:
        return float(found)
    if type(found) is not _TYPES[kind]:
        raise NotReadable(f"{_short(text)} is no {_NAMES[kind]}, as !!{kind} says")
    return found


def as_key(value: Scalar) -> str | None:
    """What a scalar stands for in go-yaml as the key of an object, which JSON has as text only.

    Returns:
        None for what can be no key: null, and integers above those of 64 bits with a sign.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value <= _MOST else None
    return None if value is None else _short_float(value)


def as_json(value: Scalar) -> Scalar:
    """A value after its way through JSON: `1.0` and `1e3` are written there as integers, and read as such."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        if _LEAST <= value <= _MOST:
            return value
        value = float(value)
    if not isfinite(value) or abs(value) >= 1e21 or not value.is_integer():
        return value
    # Go writes as many digits as tell the number apart, and fills up with zeros.
    written = int(Decimal(repr(value)))
    return written if _LEAST <= written <= _MOST else value


def _integer(digits: str) -> int | None:
    for form, base in _INTEGERS:
        if found := form.fullmatch(digits):
            if len(found[2]) > _MOST_DIGITS:
                return None
            value = int(found[2], base)
            signed = bool(found[1])
            value = -value if found[1] == "-" else value
            return value if _LEAST <= value <= (_MOST if signed else _MOST_UNSIGNED) else None
    return None


_NAMES = {"bool": "boolean", "int": "integer", "float": "number", "null": "null"}
_TYPES = {"bool": bool, "int": int, "float": float, "null": type(None)}


def _binary(text: str) -> str:
    """Base64, decoded; what is no UTF-8 then is lost on the way through JSON, as in Kubernetes."""
    try:
        data = binascii.a2b_base64(re.sub("[\r\n]", "", text).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NotReadable(f"{_short(text)} is no base64, as !!binary says") from None
    return _utf8(data)


def _utf8(data: bytes) -> str:
    """Bytes as text, with U+FFFD for each byte that is no part of a character."""
    pieces, rest = [], data
    while rest:
        try:
            pieces.append(rest.decode())
            break
        except UnicodeDecodeError as error:
            pieces.append(rest[: error.start].decode() + "\ufffd")
            rest = rest[error.start + 1 :]
    return "".join(pieces)


def _is_timestamp(text: str) -> bool:
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        return False
    parts = [int(part) for part in found.groups() if part is not None]
    try:
        datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def _short(text: str) -> str:
    """A scalar to be named in a sentence."""
    return f"`{text if len(text) <= 24 else text[:23] + '…'}`"


def _short_float(number: float) -> str:
    """A number as Go's strconv.FormatFloat(number, 'g', -1, 32) writes it."""
    try:
        (single,) = struct.unpack("f", struct.pack("f", number))
    except OverflowError:
        single = float("inf") if number > 0 else float("-inf")
    if isnan(single):
        return ".nan"
    if isinf(single):
        return ".inf" if single > 0 else "-.inf"
    shortest = next(
        text
        for digits in range(9)
        if struct.pack("f", float(text := f"{single:.{digits}e}")) == struct.pack("f", single)
    )
    mantissa, _, exponent = shortest.partition("e")
    power = int(exponent)
    if power < -4 or power >= 6:
        return f"{mantissa}e{power:+03d}"
    sign, digits = ("-" if mantissa.startswith("-") else ""), mantissa.lstrip("-").replace(".", "")
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    whole, fraction = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
