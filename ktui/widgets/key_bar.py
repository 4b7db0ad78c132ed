"""KeyBar: the keys that do something here, taken from the bindings themselves."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from ktui.widgets.bar import Bar, Part


class KeyBar(Bar):
    """The last line of a page. It shows the bindings that are shown, in their order; what is denied now is dim.

    The bindings are the only place where a key has a name, so the bar cannot promise what is not there.
    """

    DEFAULT_CSS = """
    KeyBar { dock: bottom; }
    """

    def on_mount(self) -> None:
        """Follow the bindings: they change with focus and with what can be done."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._tell())
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        if not self.is_attached or self.screen is not self.app.screen:
            return
        hints: list[tuple[Part, Part]] = []
        seen: set[str] = set()
        focused = self.screen.focused
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if (
                focused is not None
                and active.node is self.screen
                and focused.check_consume_key(binding.key, binding.key if len(binding.key) == 1 else None)
            ):
                # It is a letter of what is being typed.
                continue
            if binding.show and binding.action not in seen:
                seen.add(binding.action)
                key = self.app.get_key_display(binding)
                looks = ("key", "text") if active.enabled else ("dim", "dim")
                words = (key, f" {binding.description}")
                first, second = (Part(*part, binding.action) for part in zip(words, looks, strict=True))
                hints.append((first, second))
        hints.sort(key=lambda hint: hint[0].action == "help")
        self.show([Part(" "), *self._fitting(hints)])

    def _fitting(self, hints: list[tuple[Part, Part]]) -> Iterable[Part]:
        """Whole hints only; where there is no room for all, help, which is the last, stays and those before it go."""
        room = self.size.width - 1 - sum(map(_width, hints[-1:]))
        for hint in hints[:-1]:
            if (room := room - _width(hint)) < 0:
                break
            yield from (*hint, GAP)
        yield from (part for hint in hints[-1:] for part in hint)

    def on_resize(self) -> None:
        """As many hints as fit now."""
        self._tell()


GAP = Part("   ")


def _width(hint: tuple[Part, Part]) -> int:
    return sum(cell_len(part.text) for part in hint) + len(GAP.text)
