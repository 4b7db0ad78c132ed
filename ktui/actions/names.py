"""What may be typed: names, labels, keys, ports, addresses and quantities, judged as the API server judges them.

Every function takes a text and returns what is wrong with it, in the server's words; empty when nothing is. Source:
k8s.io/apimachinery/pkg/util/validation, and
https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names
"""

from __future__ import annotations

import ipaddress
import re

from ktui.kinds.quantity import quantity

LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
PORT_NAME_LENGTH = 15

RANDOM_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What Kubernetes makes random names of: none that spell words. Source: k8s.io/apimachinery/pkg/util/rand."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_ENV_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_QUANTITY = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"

_ALPHANUMERIC = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)


def dns_label(text: str) -> str:
    """A label of RFC 1123: namespaces, containers, services since Kubernetes 1.36."""
    if re.fullmatch(_LABEL, text):
        shape = ""
    elif re.fullmatch(_SUBDOMAIN, text):
        shape = "must not contain dots"
    else:
        shape = _regex(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
            "end with an alphanumeric character",
            _LABEL,
            "my-name",
            "123-abc",
        )
    return _all(_longer(text, LABEL_LENGTH), shape)


def dns_subdomain(text: str) -> str:
    """A subdomain of RFC 1123: the names of most objects."""
    return _subdomain(text, "characters")


def _subdomain(text: str, unit: str) -> str:
    message = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        "and end with an alphanumeric character"
    )
    return _all(_longer(text, SUBDOMAIN_LENGTH, unit), _unlike(_SUBDOMAIN, text, message, "example.com"))


def dns_1035_label(text: str) -> str:
    """A label of RFC 1035, which begins with a letter: services before Kubernetes 1.36."""
    message = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character"
    )
    return _all(_longer(text, LABEL_LENGTH), _unlike(_LABEL_1035, text, message, "my-name", "abc-123"))


def label_key(text: str) -> str:
    """The key of a label or a taint: a name, or a domain and a name, `example.com/tier`."""
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        wrong = _regex(_ALPHANUMERIC, _QUALIFIED, "MyName", "my.name", "123-abc")
        return f"a valid label key {wrong} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
    domain = ""
    if slash:
        domain = "must be non-empty" if not prefix else _subdomain(prefix, "bytes")
    size = "must be non-empty" if not name else _longer(name, LABEL_LENGTH, "bytes")
    shape = _unlike(_QUALIFIED, name, _ALPHANUMERIC, "MyName", "my.name", "123-abc")
    return _all(
        f"prefix part {domain}" if domain else "",
        f"name part {size}" if size else "",
        f"name part {shape}" if shape else "",
    )


def annotation_key(text: str) -> str:
    """The key of an annotation: as that of a label, but capitals are no matter."""
    return label_key(text.lower())


def label_value(text: str) -> str:
    """The value of a label or a taint; may be empty."""
    message = f"a valid label must be an empty string or {_ALPHANUMERIC.removeprefix('must ')}"
    return _all(_longer(text, LABEL_LENGTH, "bytes"), _unlike(_VALUE, text, message, "MyValue", "my_value", "12345"))


def config_key(text: str) -> str:
    """A key of a ConfigMap or a Secret, which becomes the name of a file."""
    message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    shape = _unlike(_CONFIG_KEY, text, message, "key.name", "KEY_NAME", "key-name")
    return _all(_longer(text, SUBDOMAIN_LENGTH), shape, _dots(text))


def env_name(text: str) -> str:
    """The name of an environment variable, as `kubectl set env` takes it; servers since 1.32 take more."""
    message = (
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must "
        "not start with a digit"
    )
    return _all(_unlike(_ENV_NAME, text, message, "my.env-name", "MY_ENV.NAME", "MyEnvName1"), _dots(text))


def port_number(text: str) -> str:
    """A port by its number."""
    fine = re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= 65535
    return "" if fine else "must be between 1 and 65535, inclusive"


def port_name(text: str) -> str:
    """A port by its name, as containers give it. Source: RFC 6335, in lower case."""
    plain = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    return _all(
        _longer(text, PORT_NAME_LENGTH),
        "" if re.fullmatch("[-a-z0-9]+", text) else plain,
        "" if re.search("[a-z]", text) else "must contain at least one letter (a-z)",
        "must not contain consecutive hyphens" if "--" in text else "",
        "must not begin or end with a hyphen" if text and "-" in (text[0], text[-1]) else "",
    )


def port(text: str) -> str:
    """A port of a container, by number or by name: a whole number is never a name."""
    return port_number(text) if is_int32(text) else port_name(text)


def is_int32(text: str) -> bool:
    """Whether Kubernetes takes a text for a number where it takes numbers and names. Source: intstr.Parse."""
    return re.fullmatch("[+-]?[0-9]+", text) is not None and -(2**31) <= int(text) < 2**31


def endpoint_address(text: str) -> str:
    """An address at which something answers, as an EndpointSlice takes it."""
    try:
        # Zones, fe80::1%eth0, are not for others.
        found = ipaddress.ip_address(text.replace("%", " "))
    except ValueError:
        return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    if found.version == 6 and found.ipv4_mapped is not None:
        return "must not be an IPv4-mapped IPv6 address"
    if text != str(found):
        return f'must be in canonical form ("{found}")'
    multicast = ipaddress.ip_network("224.0.0.0/24" if found.version == 4 else "ff02::/16")
    return _all(
        f"may not be unspecified ({text})" if found.is_unspecified else "",
        "may not be in the loopback range (127.0.0.0/8, ::1/128)" if found.is_loopback else "",
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)" if found.is_link_local else "",
        "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)" if found in multicast else "",
    )


def quantity_text(text: str) -> str:
    """An amount of a resource: `250m`, `64Mi`. Source: resource.ParseQuantity."""
    if quantity(text) is not None:
        return ""
    if (parts := re.match(_QUANTITY, text)) is None or not re.fullmatch(r"[+-]?[0-9]*\.?[0-9]*", parts[1]):
        return f"quantities must match the regular expression '{_QUANTITY}'"
    return "unable to parse quantity's suffix" if parts[2] else "unable to parse numeric part of quantity"


def _longer(text: str, most: int, unit: str = "characters") -> str:
    return f"must be no more than {most} {unit}" if len(text.encode()) > most else ""


def _unlike(pattern: str, text: str, message: str, *examples: str) -> str:
    return "" if re.fullmatch(pattern, text) else _regex(message, pattern, *examples)


def _regex(message: str, pattern: str, *examples: str) -> str:
    """The server's words, as validation.RegexError puts them."""
    told = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {told}regex used for validation is '{pattern}')"


def _dots(text: str) -> str:
    """What names of files must not be."""
    if text in (".", ".."):
        return f"must not be '{text}'"
    return "must not start with '..'" if text.startswith("..") else ""


def _all(*wrong: str) -> str:
    return "; ".join(filter(None, wrong))
