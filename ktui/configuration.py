"""Configuration: what a person has decided once and for all, read from a file of YAML.

    # $XDG_CONFIG_HOME/ktui/config.yaml
    read_only: false            # nothing may be changed, in any context
    theme: ktui-light
    contexts:
      prod:
        protected: true         # what changes or deletes objects asks for a name to be typed
        read_only: true
    undo:
      keep_secrets: false       # whether the journal keeps what is needed to undo changes of secrets

A mistake is never passed over: somebody who writes `read-only: true` must not find out by a change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from platformdirs import user_config_path

from ktui.kube.errors import ConfigError

_LARGEST = 1_000_000


class ContextRules(msgspec.Struct, frozen=True):
    """What is different in a context.

    Attributes:
        protected: whether more has to be confirmed there, by typing a name.
        read_only: whether nothing may be changed there.
    """

    protected: bool = False
    read_only: bool = False


class UndoRules(msgspec.Struct, frozen=True):
    """What is kept to undo things.

    Attributes:
        keep_secrets: whether the data of secrets is.
    """

    keep_secrets: bool = False


class Configuration(msgspec.Struct, frozen=True):
    """All of it; everything has a default.

    Attributes:
        read_only: whether nothing may be changed.
        theme: a theme's name; empty for the usual one.
        contexts: by the contexts' names.
        undo: what is kept to undo things.
    """

    read_only: bool = False
    theme: str = ""
    contexts: dict[str, ContextRules] = {}
    undo: UndoRules = UndoRules()

    def of_context(self, name: str) -> ContextRules:
        """What holds in a context, with what holds everywhere."""
        rules = self.contexts.get(name, ContextRules())
        return ContextRules(rules.protected, rules.read_only or self.read_only)


def configuration_path() -> Path:
    """The file: `$XDG_CONFIG_HOME/ktui/config.yaml`, or what the system has in its place."""
    return user_config_path("ktui") / "config.yaml"


def load_configuration(path: Path | None = None) -> Configuration:
    """The configuration; the defaults when there is no file.

    Args:
        path: the file; the usual one when None.

    Raises:
        ConfigError: it cannot be read, or something in it is not known, or of another type.
    """
    path = path or configuration_path()
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return Configuration()
    except OSError as error:
        raise _unusable(path, f"cannot be read ({(error.strerror or 'input error').lower()})") from None
    if len(text) > _LARGEST:
        raise _unusable(path, "is too large to be a configuration")
    document = _parsed(path, text)
    return Configuration() if document is None else _Reader(path).configuration(document)


def _parsed(path: Path, text: bytes) -> Any:
    # Whoever has no such file need not wait for this.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text.decode(), loader)
    except UnicodeDecodeError:
        raise _unusable(path, "is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _unusable(path, "is not valid YAML" + (f" (line {mark.line + 1})" if mark else "")) from None
    except ValueError:
        # A date that is none.
        raise _unusable(path, "is not valid YAML") from None


def _unusable(path: Path, problem: str) -> ConfigError:
    return ConfigError(f"The configuration {path} {problem}.", "Correct the file, or move it away.")


class _Reader:
    """Reads a document field by field, so that what is wrong can be named."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def configuration(self, document: Any) -> Configuration:
        return Configuration(
            **self._fields(
                "",
                document,
                {"read_only": self._flag, "theme": self._word, "contexts": self._contexts, "undo": self._undo},
            )
        )

    def _contexts(self, where: str, value: Any) -> dict[str, ContextRules]:
        known = {"protected": self._flag, "read_only": self._flag}
        found = {}
        for name, rules in self._mapping(where, value).items():
            # A context may be called 2026 or true.
            if not isinstance(name, str):
                raise self._wrong(f"{where}.{name}", "needs quotes around its name")
            found[name] = ContextRules(**self._fields(f"{where}.{name}", rules, known))
        return found

    def _undo(self, where: str, value: Any) -> UndoRules:
        return UndoRules(**self._fields(where, value, {"keep_secrets": self._flag}))

    def _fields(self, where: str, value: Any, known: Mapping[str, Callable[[str, Any], Any]]) -> dict[str, Any]:
        """The fields of a mapping, each read as it is known."""
        found = {}
        for key, content in self._mapping(where, value).items():
            name = f"{where}.{key}" if where else str(key)
            if key not in known:
                raise ConfigError(f"{name} in {self._path} is not known.", f"What may stand there: {', '.join(known)}.")
            # A key without a value is as if it were not there.
            if content is not None:
                found[key] = known[key](name, content)
        return found

    def _mapping(self, where: str, value: Any) -> dict[Any, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            if not where:
                raise _unusable(self._path, "has no keys: it should have lines such as `read_only: true`")
            raise self._wrong(where, "must have keys of its own, on lines below it")
        return value

    def _flag(self, where: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(where, "must be true or false")
        return value

    def _word(self, where: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self._wrong(where, "must be a text")
        return value

    def _wrong(self, where: str, problem: str) -> ConfigError:
        return ConfigError(f"{where} in {self._path} {problem}.", "Correct it there, or take the line out.")
