"""Forms: what a person fills in before an action, as values that any interface can ask for.

A form has fields in an order; what was filled in is a mapping from their names to values, `Values`. A field judges a
value by itself and says in one sentence what is wrong with it; what only the whole form tells, the action's plan
refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
"""What a form was filled with, by the names of its fields: text, whole numbers (None for nothing), yes and no."""


def _always(values: Values) -> bool:
    return True


def _never(values: Values) -> bool:
    return False


def _fine(value: Any) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """Something to fill in.

    Attributes:
        name: by which plans find its value.
        label: a word or two in front of it.
        help: what to fill in, a short phrase; shown while it has the keyboard.
        shown: whether it is asked for, by what the others were filled with; a hidden field keeps its value.
    """

    name: str
    label: str
    help: str = ""
    shown: Callable[[Values], bool] = _always

    @property
    def start(self) -> Any:
        """The value it begins with."""
        raise NotImplementedError

    def wrong(self, value: Any) -> str:
        """What is wrong with a value, one sentence; empty when nothing is."""
        return ""


@dataclass(frozen=True, kw_only=True)
class TextField(Field):
    """A text.

    Attributes:
        text: what stands there at first.
        check: what is wrong with a text, one sentence; empty when nothing is. Not asked about an empty one.
        required: whether it must not be empty.
        lines: how many lines it shows; more than one takes line breaks.
        masked: whether it is a secret, which is not shown as it is typed.
        placeholder: an example, shown while it is empty.
    """

    text: str = ""
    check: Callable[[str], str] = _fine
    required: bool = False
    lines: int = 1
    masked: bool = False
    placeholder: str = ""

    @property
    def start(self) -> str:
        """The text."""
        return self.text

    def wrong(self, value: Any) -> str:
        """Whether it is empty and must not be, else what `check` says."""
        if not str(value).strip():
            return f"{self.label} is needed." if self.required else ""
        return self.check(str(value))


@dataclass(frozen=True, kw_only=True)
class NumberField(Field):
    """A whole number.

    Attributes:
        number: what stands there at first; None for nothing.
        minimum, maximum: the bounds, both allowed.
        required: whether it must be filled in.
    """

    number: int | None = None
    minimum: int = 0
    maximum: int = 2**31 - 1
    required: bool = True

    @property
    def start(self) -> int | None:
        """The number."""
        return self.number

    def wrong(self, value: Any) -> str:
        """Whether it is no number, or out of bounds. A text that is none is given as it was typed."""
        if value is None:
            return f"{self.label} is needed." if self.required else ""
        if not isinstance(value, int):
            return f"{self.label} must be a whole number."
        if value < self.minimum:
            return f"{self.label} must be at least {self.minimum:,}."
        if value > self.maximum:
            return f"{self.label} must be at most {self.maximum:,}."
        return ""


@dataclass(frozen=True, kw_only=True)
class ChoiceField(Field):
    """One of several words.

    Attributes:
        choices: the words.
        choice: the one that is chosen at first.
    """

    choices: tuple[str, ...]
    choice: str = ""

    @property
    def start(self) -> str:
        """The choice; the first where none was given."""
        return self.choice or self.choices[0]

    def wrong(self, value: Any) -> str:
        """Whether it is none of the choices."""
        return "" if value in self.choices else f"{self.label} must be one of {', '.join(self.choices)}."


@dataclass(frozen=True, kw_only=True)
class SwitchField(Field):
    """Yes or no.

    Attributes:
        on: whether it is yes at first.
    """

    on: bool = False

    @property
    def start(self) -> bool:
        """Yes or no."""
        return self.on


@dataclass(frozen=True, kw_only=True)
class Carried(Field):
    """Something that the form has read and the plan needs, such as what the server serves. It is never asked for.

    Attributes:
        value: what it is.
    """

    label: str = ""
    value: Any = None
    shown: Callable[[Values], bool] = _never

    @property
    def start(self) -> Any:
        """What it is."""
        return self.value


@dataclass(frozen=True, slots=True)
class Form:
    """What to ask before an action.

    Attributes:
        fields: in their order; none when there is nothing to ask.
        facts: what is the case now, a line each: `2 replicas run`, `HPA web keeps between 2 and 10`.
    """

    fields: tuple[Field, ...] = ()
    facts: tuple[str, ...] = ()

    def start(self) -> dict[str, Any]:
        """The values it begins with."""
        return {field.name: field.start for field in self.fields}

    def wrong(self, values: Values) -> dict[str, str]:
        """What is wrong with each field that is shown, by its name; empty when the form can be sent."""
        return {
            field.name: sentence
            for field in self.fields
            if field.shown(values) and (sentence := field.wrong(values[field.name]))
        }
