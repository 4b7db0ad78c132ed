"""`ktui`: the explorer itself, on the terminal."""

from __future__ import annotations

import gc
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Collection, MutableMapping
from contextlib import ExitStack
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from ktui.cli.arguments import kubeconfig_of
from ktui.configuration import load_configuration
from ktui.crash import terminal_restored
from ktui.logs import start_logging
from ktui.options import Options

if TYPE_CHECKING:
    from ktui.cli.embedded import EmbeddedCluster

# Frames a second at most. A key is answered in the next one, so the less it waits for it the better; tables pace
# themselves, and a terminal that is slow to take frames skips some, so there are never more than are needed.
FRAMES, FRAMES_OVER_SSH = "240", "120"
# Milliseconds.
ESCAPE, ESCAPE_OVER_SSH = "5", "100"


def run(arguments: Namespace) -> int:
    """Open ktui and stay until it is left.

    Raises:
        Usage: there is no terminal, or the arguments do not fit together.
        Exception: what ended the app, when nobody expected it; the terminal is the person's again.
    """
    _check(arguments)
    prepare_textual(os.environ)
    start_logging(arguments.log_file)
    with ExitStack() as stack:
        cluster = _embedded(stack) if arguments.demo else None
        stack.enter_context(terminal_restored())
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        # The app takes a fifth of a second to import; the embedded cluster starts meanwhile. Collecting garbage would
        # find none and take a tenth of that; the app begins again when its first frame has been painted.
        gc.disable()
        from ktui.app import KtuiApp

        options = replace(options_of(arguments, cluster), open_demo=lambda: demo_options(arguments, stack))
        app = KtuiApp(options)
        _check_theme(options.theme, app.available_themes)
        app.run(mouse=arguments.mouse)
        if app.crash is not None:
            raise app.crash
        return app.return_code or 0


def demo_options(arguments: Namespace, stack: ExitStack) -> Options:
    """Start the embedded cluster after all; it ends when ktui does.

    Args:
        arguments: of the command line; what they say of a cluster is left out.
        stack: what is undone at the end.
    """
    arguments.context, arguments.namespace = None, None
    return options_of(arguments, _embedded(stack))


def options_of(arguments: Namespace, cluster: EmbeddedCluster | None = None) -> Options:
    """The arguments as the app reads them.

    Args:
        arguments: of the command line.
        cluster: the embedded cluster, when ktui is opened on it.

    Raises:
        ConfigError: the configuration file cannot be used as it is.
    """
    configuration = load_configuration()
    return Options(
        kubeconfig=(cluster.kubeconfig,) if cluster else kubeconfig_of(arguments),
        context=arguments.context,
        namespaces=arguments.namespace or (),
        start_kind=arguments.kind,
        read_only=arguments.read_only,
        theme=arguments.theme or configuration.theme or None,
        mouse=arguments.mouse,
        perf=arguments.perf,
        log_file=arguments.log_file,
        before_connecting=cluster.ready if cluster else None,
        demo=cluster is not None,
        configuration=configuration,
    )


def prepare_textual(environ: MutableMapping[str, str]) -> None:
    """Set what Textual reads when it is imported; what the person has set stays.

    Args:
        environ: the process's environment.
    """
    environ.setdefault("TEXTUAL_FPS", FRAMES_OVER_SSH if environ.get("SSH_CONNECTION") else FRAMES)
    # How long Esc may still turn out to be the beginning of another key: a terminal on this machine writes keys whole.
    environ.setdefault("ESCDELAY", ESCAPE_OVER_SSH if environ.get("SSH_CONNECTION") else ESCAPE)
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")


def _embedded(stack: ExitStack) -> EmbeddedCluster:
    from ktui.cli.embedded import EmbeddedCluster

    return stack.enter_context(EmbeddedCluster())


def _misused(sentence: str, next_step: str) -> NoReturn:
    # Imported only now, as in the functions above: the first frame does not wait for it.
    from ktui.cli.complaint import Usage

    raise Usage(sentence, next_step)


def _check(arguments: Namespace) -> None:
    if arguments.demo and (arguments.kubeconfig or arguments.context):
        _misused("--demo brings a cluster of its own.", "Leave out --kubeconfig and --context with it.")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        _misused("ktui needs a terminal to draw on.", "In a script or a pipe use `ktui get KIND`.")


def _check_theme(name: str | None, available: Collection[str]) -> None:
    if name is not None and name not in available:
        _misused(f"There is no theme {name!r}.", f"There are: {', '.join(available)}.")


def _leave(number: int, frame: FrameType | None) -> None:
    """End before the app has begun to listen: the terminal is given back, and the embedded cluster ends."""
    sys.exit(128 + number)
