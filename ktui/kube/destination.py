"""Destinations: what a person types after `:`, read into a kind, namespaces, a selector and a filter."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from ktui.kube.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to go.

    Attributes:
        word: what the person calls the kind: `po`, `deployments.apps`, `ctx`.
        arguments: the words behind it that are not options: namespaces, or a context.
        all_namespaces: whether `-A` was given.
        labels: the label selector given with `-l`.
        filter: the text given after `/`.
    """

    word: str
    arguments: tuple[str, ...] = ()
    all_namespaces: bool = False
    labels: str = ""
    filter: str = ""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The arguments as namespaces; commas separate several."""
        return tuple(name for argument in self.arguments for name in argument.split(",") if name)

    def within(self, namespaces: tuple[str, ...]) -> tuple[str, ...]:
        """Where to look; empty for everywhere.

        Args:
            namespaces: where one looks when nothing else is said.
        """
        return () if self.all_namespaces else self.namespaces or namespaces


def parse_destination(typed: str) -> Destination:
    """Read `po kube-system`, `deploy -l app=web`, `ingresses -A /shop`, `ctx staging`.

    Args:
        typed: what was typed, without the colon.

    Raises:
        ConfigError: a quote is not closed, an option is not known, or lacks its value.
    """
    command, slash, text = typed.partition(" /")
    try:
        words = shlex.split(command)
    except ValueError:
        raise ConfigError(f"A quote is not closed in {typed!r}.", 'Close it, as in: deploy -l "a in (b,c)"') from None
    plain: list[str] = []
    namespaces: list[str] = []
    labels, everywhere = "", False
    rest = iter(words)
    for word in rest:
        option, equals, given = word.partition("=") if word.startswith("--") else (word, "", "")
        match option:
            case "-A" | "--all-namespaces":
                everywhere = True
            case "-n" | "--namespace":
                namespaces.append(given if equals else _value(option, rest))
            case "-l" | "--selector":
                labels = given if equals else _value(option, rest)
            case _ if word.startswith("-"):
                raise ConfigError(f"{word} is not known here.", _OPTIONS)
            case _:
                plain.append(word)
    word, *arguments = plain or [""]
    return Destination(word, tuple(filter(None, (*namespaces, *arguments))), everywhere, labels, text if slash else "")


_OPTIONS = "Use -n NAMESPACE, -A or -l SELECTOR."


def _value(option: str, rest: Iterator[str]) -> str:
    for word in rest:
        return word
    raise ConfigError(f"{option} needs a value.", _OPTIONS)
