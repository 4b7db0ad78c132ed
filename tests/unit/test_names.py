"""What may be typed: texts judged as the API server judges them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.names import (
    config_key,
    dns_1035_label,
    dns_label,
    dns_subdomain,
    endpoint_address,
    env_name,
    label_key,
    label_value,
    port,
    port_name,
    port_number,
    quantity_text,
)
from ktui.kinds.quantity import quantity

LOWER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
ALNUM = LOWER + LOWER.upper() + DIGITS

texts = st.text("ab9-._/AZ \né=", max_size=12) | st.text(LOWER + "-.", min_size=60, max_size=70) | st.text(max_size=5)


def is_label(text: str) -> bool:
    """RFC 1123, told in another way."""
    fine = bool(text) and not set(text) - set(LOWER + DIGITS + "-")
    return fine and "-" not in (text[0], text[-1]) and len(text) <= 63


def is_qualified(text: str) -> bool:
    """The name part of a label's key, told in another way."""
    fine = bool(text) and not set(text) - set(ALNUM + "-_.")
    return fine and text[0] in ALNUM and text[-1] in ALNUM and len(text) <= 63


@given(texts)
def test_labels(text: str) -> None:
    """Lower case, digits and hyphens, none of them at an end, 63 at most."""
    assert (dns_label(text) == "") == is_label(text)


@given(texts)
def test_labels_of_rfc_1035(text: str) -> None:
    """Labels that begin with a letter."""
    assert (dns_1035_label(text) == "") == (is_label(text) and text[0] in LOWER)


@given(st.lists(st.text("ab9-", max_size=4), max_size=4).map(".".join) | texts)
def test_subdomains(text: str) -> None:
    """Labels, of any length, with dots between them."""
    fine = all(part and is_label(part[:1] + part[1:-1][:60] + part[-1:]) for part in text.split("."))
    assert (dns_subdomain(text) == "") == fine


def test_lengths() -> None:
    """The longest that fit, and one more."""
    for check, longest in ((dns_label, 63), (dns_1035_label, 63), (dns_subdomain, 253), (config_key, 253)):
        assert check("a" * longest) == ""
        assert check("a" * (longest + 1)) == f"must be no more than {longest} characters"
    assert label_value("a" * 63) == label_key("example.com/" + "a" * 63) == port_name("a" * 15) == ""
    assert label_value("a" * 64) == "must be no more than 63 bytes"
    assert label_key("a" * 64) == "name part must be no more than 63 bytes"
    assert label_key(f"{'.'.join(['a' * 60] * 5)}/x") == "prefix part must be no more than 253 bytes"
    assert port_name("a" * 16) == "must be no more than 15 characters"


@given(texts)
def test_label_values(text: str) -> None:
    """Empty, or as the name in a key."""
    assert (label_value(text) == "") == (not text or is_qualified(text))


@given(st.lists(texts, min_size=1, max_size=3))
def test_label_keys(parts: list[str]) -> None:
    """A name, or a subdomain and a name with one slash between them."""
    text = "/".join(parts)
    *prefix, name = text.split("/")
    fine = is_qualified(name) and (not prefix or (len(prefix) == 1 and dns_subdomain(prefix[0]) == ""))
    assert (label_key(text) == "") == fine


@given(texts | st.sampled_from([".", "..", "..a", "a..", "...", "A_b-c.d"]))
def test_config_keys(text: str) -> None:
    """What can be the name of a file in a mounted volume."""
    fine = bool(text) and not set(text) - set(ALNUM + "-_.") and text != "." and not text.startswith("..")
    assert (config_key(text) == "") == fine


@given(texts)
def test_names_of_environment_variables(text: str) -> None:
    """As keys of config maps, and no digit first."""
    assert (env_name(text) == "") == (config_key(text) == "" and text[0] not in DIGITS)


@given(st.integers(-(10**6), 10**6))
def test_port_numbers(number: int) -> None:
    """1 to 65535."""
    assert (port_number(str(number)) == "") == (1 <= number <= 65535)
    assert port(str(number)) == port_number(str(number))


@given(texts | st.text(LOWER + DIGITS + "-", max_size=16))
def test_port_names(text: str) -> None:
    """A letter at least, no two hyphens together; never a number."""
    fine = (
        0 < len(text) <= 15
        and not set(text) - set(LOWER + DIGITS + "-")
        and bool(set(text) & set(LOWER))
        and "--" not in text
        and "-" not in (text[0], text[-1])
    )
    assert (port_name(text) == "") == fine
    if fine:
        assert port(text) == ""
        assert port_number(text)


@given(st.text("0123456789.+-eEinumkKMGTP ", max_size=8))
def test_quantities(text: str) -> None:
    """Whatever is a quantity passes, and nothing else."""
    assert (quantity_text(text) == "") == (quantity(text) is not None)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        ("1 Mi", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        ("1.2.3", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        ("1mi", "unable to parse quantity's suffix"),
        ("1MiB", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
    ],
)
def test_what_is_said_of_quantities(text: str, wrong: str) -> None:
    """In the server's words."""
    assert quantity_text(text) == wrong


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("10.0.0.1", ""),
        ("2001:db8::1", ""),
        ("10.0.0", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        ("10.0.0.1/24", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        ("fe80::1%eth0", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        ("::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address"),
        ("2001:DB8::1", 'must be in canonical form ("2001:db8::1")'),
        ("0.0.0.0", "may not be unspecified (0.0.0.0)"),
        ("127.0.0.53", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("::1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("169.254.169.254", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        ("224.0.0.9", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ],
)
def test_addresses(address: str, wrong: str) -> None:
    """What nobody else could reach is no endpoint."""
    assert endpoint_address(address) == wrong


def test_the_words_are_the_servers() -> None:
    """With examples and the expression, as validation.RegexError puts them."""
    assert dns_label("A") == (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    )
    assert dns_label("a.b") == "must not contain dots"
    assert label_key("/a") == "prefix part must be non-empty"
    assert label_key("example.com/").startswith("name part must be non-empty; name part must consist of alphanumeric")
    assert label_key("a/b/c").endswith(" with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")
    assert config_key("..") == "must not be '..'"
    assert config_key("..a") == "must not start with '..'"
