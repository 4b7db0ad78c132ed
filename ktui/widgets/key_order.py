"""Keys in their order: what a key does is done before the next letter is typed.

Textual gives a key to the widget with the keyboard, and asks what it is bound to only when that and all around it have
let it pass. Over a slow line many keys come in one piece: then letters overtake the keys before them.
"""

from __future__ import annotations

from textual import events
from textual.widget import Widget


async def obeyed(event: events.Key, *widgets: Widget) -> bool:
    """Do what a key is bound to, now.

    Args:
        event: the key; nobody else sees it when it is bound to something that can be done.
        widgets: whose bindings count, from the inside to the outside.
    """
    for widget in widgets:
        for binding in widget._bindings.key_to_bindings.get(event.key, ()):
            if not binding.priority and await widget.app.run_action(binding.action, default_namespace=widget):
                event.stop()
                event.prevent_default()
                return True
    return False
