"""Destinations: what is typed after the colon."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.kube.destination import Destination, parse_destination
from ktui.kube.errors import ConfigError


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", Destination("")),
        ("po", Destination("po")),
        ("  deployments.apps  ", Destination("deployments.apps")),
        ("po kube-system", Destination("po", ("kube-system",))),
        ("po -n shop", Destination("po", ("shop",))),
        ("-n shop po", Destination("po", ("shop",))),
        ("po --namespace=shop", Destination("po", ("shop",))),
        ("ing -A", Destination("ing", all_namespaces=True)),
        ("deploy -l app=web,tier!=db", Destination("deploy", labels="app=web,tier!=db")),
        ("deploy --selector=app=web", Destination("deploy", labels="app=web")),
        ('deploy -l "a in (b,c)" shop', Destination("deploy", ("shop",), labels="a in (b,c)")),
        ("ingresses -A /shop", Destination("ingresses", all_namespaces=True, filter="shop")),
        ("po -l app.kubernetes.io/name=web /a b", Destination("po", labels="app.kubernetes.io/name=web", filter="a b")),
        ("ctx staging", Destination("ctx", ("staging",))),
        ("ctx arn:aws:eks:eu:1/prod", Destination("ctx", ("arn:aws:eks:eu:1/prod",))),
    ],
)
def test_reading(typed: str, expected: Destination) -> None:
    """Kind, namespaces, selector and filter are read as kubectl reads them, in any order."""
    assert parse_destination(typed) == expected


def test_commas_separate_namespaces() -> None:
    """Several namespaces may stand in one word or in several."""
    assert parse_destination("po a,b c").namespaces == ("a", "b", "c")


@pytest.mark.parametrize("typed", ['po -l "a', "po --watch", "po -x", "po -l", "po -n"])
def test_what_cannot_be_read_is_told(typed: str) -> None:
    """An open quote, an unknown option or a missing value is one sentence with a next step."""
    with pytest.raises(ConfigError) as told:
        parse_destination(typed)
    assert told.value.sentence
    assert told.value.next_step


@given(st.text())
def test_whatever_is_typed_is_read_or_told(typed: str) -> None:
    """No text makes it fail otherwise."""
    with suppress(ConfigError):
        parse_destination(typed)
