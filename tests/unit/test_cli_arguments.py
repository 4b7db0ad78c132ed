"""The arguments are read as kubectl users expect, and what is wrong is said in one sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ktui import __version__
from ktui.cli.arguments import parse
from ktui.cli.explore import options_of, prepare_textual

# ruff: noqa: F401, F811 - pytest finds fixtures by their names
from tests.unit.command_line import Done, ktui, logging_kept


def test_nothing_opens_on_all_namespaces() -> None:
    """Without any argument ktui opens on the current context's four panes, in all namespaces."""
    options = options_of(parse([]))
    assert (options.context, options.kubeconfig, options.namespaces, options.start_kind) == (None, None, (), "")
    assert options.mouse
    assert not options.read_only


def test_every_option_reaches_the_app() -> None:
    """What is asked for on the command line is what the app is told."""
    words = "pods --context=prod --kubeconfig=k.yaml -n shop,lesson --read-only --theme=x --no-mouse --log-file=l"
    options = options_of(parse(words.split(" ")))
    assert options.start_kind == "pods"
    assert options.context == "prod"
    assert options.kubeconfig == (Path("k.yaml"),)
    assert options.namespaces == ("shop", "lesson")
    assert options.read_only
    assert options.theme == "x"
    assert not options.mouse
    assert options.log_file == Path("l")


@pytest.mark.parametrize("words", ["get pods -n a", "-n a get pods", "--context=c --kubeconfig f -n a get pods"])
def test_command_may_stand_behind_options(words: str) -> None:
    """Options of the connection may stand before the command or behind it."""
    arguments = parse(words.split())
    assert (arguments.command, arguments.kind, arguments.namespace) == ("get", "pods", ("a",))


def test_value_of_an_option_is_no_command() -> None:
    """A context that happens to be called like a command is still a context."""
    arguments = parse(["--context", "get", "pods"])
    assert (arguments.command, arguments.context, arguments.kind) == ("explore", "get", "pods")


def test_names_may_stand_behind_options() -> None:
    """`ktui get KIND -n NS NAME NAME` is read as kubectl reads it."""
    assert parse(["get", "deploy", "-n", "shop", "web", "api"]).names == ["web", "api"]


@pytest.mark.parametrize(
    "words",
    [
        "--bogus",
        "get",
        "get pods -o xml",
        "-n a -A",
        "get pods -n a -A",
        "-n ,",
        "demo --port 99999",
        "demo --pods -1",
        "demo --speed 0",
        "demo --nodes 0",
        "pods services",
        "get pods --sel app=web",
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(words: str, ktui: Callable[..., Done]) -> None:
    """Bad usage is told in one sentence with a next step, on standard error, without a traceback."""
    done = ktui(*words.split())
    assert done.code == 2
    assert done.out == ""
    first, second = done.err.splitlines()
    assert first.startswith("ktui: ")
    assert first.endswith(".")
    assert "--help" in second


@pytest.mark.parametrize("command", [[], ["get"], ["demo"], ["doctor"]])
def test_help_has_examples(command: list[str], ktui: Callable[..., Done]) -> None:
    """`--help` of every command shows how it is used, and succeeds."""
    done = ktui(*command, "--help")
    assert done.code == 0
    assert f"usage: {' '.join(['ktui', *command])}" in done.out
    assert "examples:" in done.out or command == ["doctor"]


def test_every_option_is_in_the_documentation() -> None:
    """docs/command-line.md names every option of every command."""
    page = Path(__file__, "../../../docs/command-line.md").resolve().read_text()
    from ktui.cli import arguments

    for make in arguments._PARSERS.values():
        for action in make()._actions:
            for option in action.option_strings:
                assert f"`{option}" in page or f", `{option}" in page or option in ("-h", "--help"), option


def test_what_the_person_set_is_never_overridden() -> None:
    """Textual's environment is filled in, not replaced, and over SSH fewer frames are drawn."""
    local: dict[str, str] = {}
    far, chosen = {"SSH_CONNECTION": "1 2 3 4"}, {"TEXTUAL_FPS": "30", "TEXTUAL_ANIMATIONS": "full"}
    for environ in (local, far, chosen):
        prepare_textual(environ)
    assert int(far["TEXTUAL_FPS"]) < int(local["TEXTUAL_FPS"])
    assert local["TEXTUAL_ANIMATIONS"] == "none"
    assert local["TEXTUAL_SMOOTH_SCROLL"] == "0"
    assert (chosen["TEXTUAL_FPS"], chosen["TEXTUAL_ANIMATIONS"]) == ("30", "full")


def imported_by(*words: str) -> set[str]:
    """The top-level packages that a fresh `ktui` has imported when it ends."""
    code = "import sys; from ktui.__main__ import main; main(sys.argv[1:]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_version_imports_next_to_nothing() -> None:
    """`ktui --version` prints the version and imports nothing that takes time."""
    done = subprocess.run([sys.executable, "-m", "ktui", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"ktui {__version__}\n"
    assert not imported_by("--version") & {"asyncio", "textual", "rich", "aiohttp", "msgspec", "yaml", "ssl", "logging"}


def test_explaining_bad_usage_imports_no_network() -> None:
    """A mistake that shows without the cluster is told before anything heavy is imported."""
    assert not imported_by("get", "pods", "-o", "xml") & {"textual", "rich", "aiohttp", "kubernetes_asyncio"}


def test_app_is_imported_without_the_network() -> None:
    """The first frame waits for neither aiohttp nor kubernetes-asyncio; they are imported when ktui connects."""
    code = "import sys, ktui.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in done.stdout.split()}
    assert "textual" in names
    assert not names & {"aiohttp", "kubernetes_asyncio", "cryptography"}


def test_without_a_terminal_ktui_points_to_get(ktui: Callable[..., Done]) -> None:
    """In a pipe there is nothing to draw on, and the sentence says what to use instead."""
    done = ktui()
    assert done.code == 2
    assert "ktui get" in done.err
