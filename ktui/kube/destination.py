"""Destinations: what a person types after `:`, read into a kind, namespaces, a selector and a filter."""

from __future__ import annotations

import shlex
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


def parse_destination(typed: str) -> Destination:
    """Read `po kube-system`, `deploy -l app=web`, `ingresses -A /shop`, `ctx staging`.

    Args:
        typed: what was typed, without the colon.

    Raises:
        ConfigError: a quote is not closed, or an option is not known.
    """
    command, slash, text = typed.partition(" /")
    try:
        words = shlex.split(command)
    except ValueError:
        raise ConfigError(f"A quote is not closed in {typed!r}.", 'Close it, as in: deploy -l "a in (b,c)"') from None
    arguments: list[str] = []
    labels, everywhere = "", False
    rest = iter(words)
    for word in rest:
        match word:
            case "-A" | "--all-namespaces":
                everywhere = True
            case "-n" | "--namespace":
                arguments.append(next(rest, ""))
            case "-l" | "--selector":
                labels = next(rest, "")
            case _ if word.startswith("-"):
                raise ConfigError(f"{word} is not known here.", "Use -n NAMESPACE, -A or -l SELECTOR.")
            case _:
                arguments.append(word)
    word = arguments.pop(0) if arguments else ""
    return Destination(word, tuple(filter(None, arguments)), everywhere, labels, text if slash else "")
