"""The arguments of `ktui` and of its commands, as kubectl users expect them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ktui import __version__

OUTPUTS = ("table", "wide", "name", "json", "yaml", "csv")

_WITH_VALUE = ("--context", "--kubeconfig", "--namespace", "-n", "--theme", "--log-file")

_EXPLORE = """\
examples:
  ktui --demo                    look around; needs no cluster
  ktui                           the current context: nodes, deployments, services and pods
  ktui pods -n shop              one kind, in one namespace
  ktui --context prod --read-only
  kubectl ktui                   the same, as a kubectl plugin

commands (each has its own --help):
  ktui get KIND [NAME ...]       the same rows as plain text, CSV, JSON or YAML
  ktui check FILE ...            what is wrong with manifests, as Kubernetes reads them
  ktui diff FILE ...             what applying manifests would change
  ktui demo                      the embedded cluster alone, for kubectl and other programs
  ktui doctor                    what ktui sees: configuration, cluster, rights, terminal

In ktui, ? shows all keys. Exit codes: 0 done, 1 failed, 2 bad usage.
"""

_GET = """\
examples:
  ktui get pods                          in the context's namespace, as kubectl does
  ktui get po,svc -n shop                several kinds
  ktui get deploy storefront -o yaml
  ktui get pods -A -l app=web -o csv > pods.csv
  ktui get events --sort-by "last seen"
  ktui get pods --watch | grep --line-buffered Crash
"""

_CHECK = """\
examples:
  ktui check deploy.yaml                 a line a problem: file:line:column: severity: path: message
  ktui check manifests/                  all of a directory's .yaml, .yml and .json
  helm template . | ktui check -
  ktui check -o json deploy.yaml         the documents as Kubernetes reads them, and the problems

Exit code 1 when there is an error.
"""

_DIFF = """\
examples:
  ktui diff deploy.yaml                  what applying it would change, as a unified difference
  ktui diff manifests/ -n shop
  helm template . | ktui diff -

Exit code 0 when nothing would change, 1 when something would, 2 when it could not be found out.
"""

_DEMO = """\
examples:
  ktui demo                              runs until ctrl+c, and says where its kubeconfig is
  ktui demo --write-kubeconfig demo.yaml --pods 10000 --nodes 200
  KUBECONFIG=demo.yaml kubectl get nodes
"""

_DOCTOR = """\
Marks: ● fine, ▲ works but look at it, ✖ ktui cannot work like this. Exit code 1 when there is a ✖.
Credentials are never printed.
"""


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are one sentence and a next step."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog=prog, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments and end with exit code 2."""
        sentence = f"{message[:1].upper()}{message[1:]}".rstrip(".")
        self.exit(2, f"ktui: {sentence}.\n      `{self.prog} --help` shows what there is.\n")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the arguments; `command` names the module of `ktui.cli` that runs them.

    Args:
        argv: without the program's name.

    Raises:
        SystemExit: help or the version was asked for (0), or the arguments are wrong (2).
    """
    command, rest = _command(argv)
    arguments = _PARSERS[command]().parse_intermixed_args(rest)
    arguments.command = command
    return arguments


def _command(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The command, which may stand behind options, and the other arguments; `explore` when none is named."""
    words = list(argv)
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] != "--":
        place += 2 if words[place] in _WITH_VALUE else 1
    if place < len(words) and words[place] in ("get", "check", "diff", "demo", "doctor"):
        return words[place], words[:place] + words[place + 1 :]
    return "explore", words


def _explore() -> Parser:
    parser = Parser("ktui", description="A terminal explorer for Kubernetes.", epilog=_EXPLORE)
    parser.add_argument(
        "kind", nargs="?", default="", metavar="KIND", help="a kind to open on: pods, deploy, ingresses …"
    )
    _add_connection(parser)
    _add_namespaces(parser, "all namespaces (unless -n is given, that is how ktui opens)")
    parser.add_argument("--demo", action="store_true", help="open on the embedded cluster; nothing else is needed")
    parser.add_argument("--read-only", action="store_true", help="change nothing in the cluster")
    parser.add_argument("--theme", metavar="T", help="colours: ktui-dark, ktui-light, ktui-high-contrast, ktui-ansi …")
    parser.add_argument("--no-mouse", dest="mouse", action="store_false", help="leave the mouse to the terminal")
    parser.add_argument("--perf", action="store_true", help="show what ktui itself costs: frames, bytes, memory …")
    parser.add_argument("--version", action="version", version=f"ktui {__version__}")
    return parser


def _get() -> Parser:
    parser = Parser(
        "ktui get", description="Print what the panes show, as plain text with kubectl's columns.", epilog=_GET
    )
    parser.add_argument("kind", metavar="KIND[,KIND…]", help="pods, po, deployments.apps, pod/NAME …")
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help="these objects only")
    _add_connection(parser)
    _add_namespaces(parser, "all namespaces (unless either is given, the context's namespace)")
    parser.add_argument(
        "-l", "--selector", default="", metavar="LABELS", help="only objects with these labels: app=web"
    )
    parser.add_argument(
        "--field-selector", default="", metavar="FIELDS", help="only objects with these fields: spec.nodeName=worker-0"
    )
    parser.add_argument("-o", "--output", choices=OUTPUTS, default="table", help="the form; table when not given")
    parser.add_argument("-w", "--watch", action="store_true", help="print rows again as they change, until ctrl+c")
    parser.add_argument("--no-headers", dest="headers", action="store_false", help="no line with the columns' names")
    parser.add_argument("--sort-by", default="", metavar="COLUMN", help="order by a column of the output: age")
    return parser


def _check() -> Parser:
    parser = Parser("ktui check", description="Read manifests as Kubernetes does, and check them.", epilog=_CHECK)
    parser.add_argument("files", nargs="+", metavar="FILE", help="files, directories, or - for standard input")
    parser.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="the form; text when not given"
    )
    parser.add_argument(
        "--schema", type=Path, metavar="DIR", help="a folder of OpenAPI documents, in the server's place"
    )
    parser.add_argument("--offline", action="store_true", help="ask no server: what a schema tells is left out")
    parser.add_argument("--errors", action="store_true", help="leave warnings out: they are no failure then")
    _add_target(parser)
    _add_connection(parser)
    return parser


def _diff() -> Parser:
    parser = Parser("ktui diff", description="Show what applying manifests would change.", epilog=_DIFF)
    parser.add_argument("files", nargs="+", metavar="FILE", help="files, directories, or - for standard input")
    _add_target(parser)
    _add_connection(parser)
    return parser


def _demo() -> Parser:
    parser = Parser(
        "ktui demo", description="Run the embedded cluster alone, for kubectl or any other program.", epilog=_DEMO
    )
    parser.add_argument(
        "--port", type=_number(0, 65535), default=0, metavar="P", help="of 127.0.0.1; a free one when not given"
    )
    parser.add_argument("--write-kubeconfig", type=Path, metavar="F", help="where to write its kubeconfig")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed, other names")
    parser.add_argument(
        "--nodes", type=_number(1, 10_000), default=5, metavar="N", help="how many nodes; 5 when not given"
    )
    parser.add_argument("--pods", type=_number(0, 500_000), default=0, metavar="N", help="so many more pods, at rest")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="let time pass X times as fast")
    return parser


def _doctor() -> Parser:
    parser = Parser(
        "ktui doctor", description="Look at the configuration, the cluster and the terminal.", epilog=_DOCTOR
    )
    _add_connection(parser)
    parser.add_argument(
        "-n", "--namespace", metavar="NS", help="whose rights to ask about; the context's when not given"
    )
    return parser


_PARSERS = {"explore": _explore, "get": _get, "check": _check, "diff": _diff, "demo": _demo, "doctor": _doctor}


def _add_connection(parser: Parser) -> None:
    parser.add_argument("--context", metavar="C", help="a context of the kubeconfig; the current one when not given")
    parser.add_argument("--kubeconfig", type=Path, metavar="F", help="instead of $KUBECONFIG or ~/.kube/config")
    parser.add_argument("--log-file", type=Path, metavar="F", help="write a log there; KTUI_LOG_LEVEL sets the level")


def _add_target(parser: Parser) -> None:
    parser.add_argument(
        "-n", "--namespace", metavar="NS", help="of objects that name none; the context's when not given"
    )


def _add_namespaces(parser: Parser, all_of_them: str) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("-n", "--namespace", type=_names, metavar="NS[,NS…]", help="these namespaces")
    where.add_argument("-A", "--all-namespaces", action="store_true", help=all_of_them)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise argparse.ArgumentTypeError("no namespace is named")
    return names


def _number(least: int, most: int) -> Any:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
        return int(text)

    return read


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0 and up to 1000")
    return speed


def kubeconfig_of(arguments: argparse.Namespace) -> tuple[Path, ...] | None:
    """The kubeconfig files the person named, as `load_kubeconfig` takes them; None for the usual ones."""
    return None if arguments.kubeconfig is None else (arguments.kubeconfig,)
