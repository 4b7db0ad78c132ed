"""Keyboard: what the person types, without looking for it when nothing is typed."""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.events import Key
from textual.message import Message

_READ = 4096
# Seconds after which what came last is complete; a little longer than Textual's parser waits.
_COMPLETE = ESCAPE_DELAY + 0.0005


class Keyboard:
    """Reads keys in a thread of its own, until it is told to end.

    Textual looks ten times a second whether a key is complete, so that Esc, which may be the beginning of another key,
    is known a tenth of a second late. This waits for what comes, and after what may be incomplete for as long as that
    may take.

    Args:
        fileno: the terminal.
        tell: called with each key, in the thread.
        debug: whether Textual's parser keeps a log.
    """

    def __init__(self, fileno: int, tell: Callable[[Message], None], debug: bool) -> None:
        self._fileno = fileno
        self._tell = tell
        self._parser = XTermParser(debug)
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._heard, self._ending = os.pipe()
        self._ended = False

    def end(self) -> None:
        """Let `run` come to its end; may be called from anywhere, and again."""
        if not self._ended:
            self._ended = True
            os.write(self._ending, b"\0")

    def run(self) -> None:
        """Read until `end`, and what has come by then."""
        try:
            with selectors.SelectSelector() as selector:
                selector.register(self._fileno, selectors.EVENT_READ)
                selector.register(self._heard, selectors.EVENT_READ)
                self._follow(selector)
        finally:
            self._ended = True
            os.close(self._heard)
            os.close(self._ending)

    def _follow(self, selector: selectors.BaseSelector) -> None:
        incomplete = False
        while True:
            ready = {key.fd for key, _ in selector.select(_COMPLETE if incomplete else None)}
            if self._fileno in ready:
                text = self._read()
                if text is None:
                    selector.unregister(self._fileno)
                elif text:
                    self._tell_all(self._parser.feed(text))
                    incomplete = True
            elif not ready:
                # Nothing has followed what came last.
                self._tell_all(self._parser.tick())
                incomplete = False
            if self._heard in ready:
                return

    def _read(self) -> str | None:
        """What has come, perhaps not yet a whole character; None when nobody is at the other end any more."""
        try:
            came = os.read(self._fileno, _READ)
        except OSError:
            # SIGHUP is on its way, and will end ktui.
            return None
        return self._decode(came) if came else None

    def _tell_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, Key) and message.key.startswith("alt+"):
                # Where text is typed, Textual would take it for the letter alone.
                message.character = None
            self._tell(message)
