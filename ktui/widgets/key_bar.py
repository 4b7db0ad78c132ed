"""KeyBar: the keys that do something here, taken from the bindings themselves."""

from __future__ import annotations

from collections.abc import Callable

from ktui.widgets.bar import Bar, Part


class KeyBar(Bar):
    """The last line of a page. It shows the bindings that are shown and enabled, in their order.

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
        parts: list[Part] = [Part(" ")]
        seen: set[str] = set()
        key_of: Callable[..., str] = self.app.get_key_display
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not binding.show or not active.enabled or binding.action in seen:
                continue
            seen.add(binding.action)
            parts += [
                Part(key_of(binding), "key", binding.action),
                Part(f" {binding.description}   ", "text", binding.action),
            ]
        self.show(parts)
