"""The person's clipboard, reached through the terminal, over SSH as well."""

from __future__ import annotations

from textual.app import App

from ktui.actions.copy import LARGEST_CLIPBOARD, CopyText
from ktui.kinds.text import clean

SHOWN = 60


def copy_to_clipboard(app: App[object], copied: CopyText) -> bool:
    """Copy a text and say so, or say why not.

    The terminal is asked with OSC 52. It does not answer, so that a terminal that does not know it stays silent.

    Args:
        app: whose terminal.
        copied: what to copy; its text is known.

    Returns:
        whether it was sent.
    """
    assert copied.text is not None
    if copied.too_large:
        size = len(copied.text.encode()) // 1000
        app.notify(
            f"{copied.title} is {size:,} KB, and terminals take {LARGEST_CLIPBOARD // 1000} KB at most. "
            "Press w in this menu to write it to a file, or copy the kubectl line.",
            severity="warning",
            markup=False,
        )
        return False
    app.copy_to_clipboard(copied.text)
    lines = copied.text.count("\n")
    what = f"{lines} lines" if lines > 1 else clean(copied.text.strip())
    app.notify(f"Copied: {what if len(what) <= SHOWN else what[: SHOWN - 1] + '…'}", title=copied.title, markup=False)
    return True
