"""Options: what a person asked for on the command line, as one value that the app reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from ktui.configuration import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to open ktui.

    Attributes:
        kubeconfig: the files to read, as `load_kubeconfig` takes them; None for $KUBECONFIG or ~/.kube/config.
        context: a context's name; None for the current one.
        namespaces: which namespaces to open on; empty for all, which is how ktui opens when none is named.
        start_kind: a kind to browse at once, in the person's own word; empty for the home screen.
        read_only: whether nothing may be changed.
        theme: a theme's name; None for the one of the configuration, or the default.
        mouse: whether the terminal reports the mouse.
        perf: whether to show from the start what ktui itself costs.
        log_file: where logging goes; None for nowhere.
        before_connecting: awaited before the kubeconfig is read, and not before the first frame is painted: the
            embedded cluster of `--demo` may still be starting. Raises KtuiError when there will be nothing to read.
        demo: whether this is the embedded cluster, for the header to say so.
        configuration: what the person's configuration file says.
        open_demo: starts the embedded cluster and gives the options to look at it; None where there is none to be had.
    """

    kubeconfig: tuple[Path, ...] | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()
    start_kind: str = ""
    read_only: bool = False
    theme: str | None = None
    mouse: bool = True
    perf: bool = False
    log_file: Path | None = None
    before_connecting: Callable[[], Awaitable[None]] | None = None
    demo: bool = False
    configuration: Configuration = field(default_factory=Configuration)
    open_demo: Callable[[], Options] | None = None
