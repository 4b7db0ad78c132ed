"""Texts of YAML, and what the real kubectl makes of them, recorded in `tests/unit/golden/yaml`.

    KTUI_TEST_KUBECONFIG=... python -m tests.cluster.yaml_corpus

Run it again when texts are added, or to move to another version of kubectl. What kubectl sees shows by
`kubectl create --dry-run=client --validate=false -o json`, which prints an object as it was read.
"""

from __future__ import annotations

# ruff: noqa: E501 - tables of texts
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

GOLDEN = Path(__file__).parents[1] / "unit" / "golden" / "yaml"

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
"""What makes a text an object that kubectl takes: its fields follow."""

_FORMS = (
    "y Y yes Yes YES yEs n N no No NO on On ON off Off OFF true True TRUE tRUE false False FALSE null Null NULL nULL ~ "
    "nope yess 0 1 -1 +1 -0 +0 00 01 07 08 09 010 017 -017 +017 0777 0789 0999 -08 0o17 0O17 0o18 -0o17 0x1F 0X1f 0xg "
    "-0x1f +0x1f 0b11 0B11 -0b11 +0b1 0b2 0b-1 0b+1 -0b-1 0b 0x 0o 1_000 1__0 _1 1_ 0_7 0x_1F 0b_1 1e3 1E3 1e+3 1e-3 "
    "1.5e3 .5 -.5 +.5 .5e3 5. 5.e3 . - + .. -. +. .5_0 ._5 .5_ .5__0 .5e1_0 1_0.5 1.5_0 1.0 1.10 100.0 1e20 1e21 1e22 "
    "1e400 -1e400 .1e999 1e-400 123456789012345678901234567890 18446744073709551615 18446744073709551616 "
    "9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 +18446744073709551615 "
    "0xFFFFFFFFFFFFFFFF 0x1FFFFFFFFFFFFFFFF -0xFFFFFFFFFFFFFFFF 4611686018427387905.0 .inf .Inf .INF +.inf -.inf -.Inf "
    ".nan .NaN .NAN .nAn inf nan NaN -inf 2020-01-01 2020-1-1 2020-13-01 2020-01-01T00:00:00Z "
    "2020-01-01t00:00:00.5+01:00 12:30:45 12:30 1:2 190:20:30.15 1.2.3 1.2.3.4 10.0.0.0/8 10m 100Mi 1Gi 1e3m = << <<x "
    "0.1 0.10 1e0 0e0 -0.0 0.0 1,000 1e 1e+ e3 1e3.5 0x1p4 1_e3 1e_3 0b1_1 0o1_7 12e03 08.5 1234567e1 a:b http://x:80/ "
    "a#b -a ?a :a a-b --flag=x 'y' \"y\" '1' \"1\" 'null' \"\" '' \"\\x41\\u00e9\\U0001F600\\n\" 'it''s' é 😀"
)
_TAGGED = (
    "y 1 -1 017 1.0 1.5 1e3 9223372036854775807 18446744073709551615 .inf ~ null abc 2020-01-01 2020-13-01 YWJj YWI YWI= "
    "YWI=YWI= //79 '1' 'y' 'abc' '' \"2020-01-01T00:00:00Z\""
)
_TAGS = ("!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!binary", "!!seq", "!!foo", "!foo", "!")


def scalars() -> Iterator[str]:
    """Values, each in one line."""
    yield from dict.fromkeys(_FORMS.split(" "))
    yield from (
        "2020-01-01 12:30:45",
        "a b",
        "a: b",
        "a #b",
        "a  b",
        "- a",
        "[1, y]",
        "{a: y}",
        "*a",
        "@a",
        "`a`",
        "%a",
    )
    yield from ('"\\/"', '"\\q"', '"\\ud83d\\ude00"', '"\\ud800"', '"a\tb"', "'a\tb'", "a\tb", "!!str", "!!int", "&a 1")
    for tag in _TAGS:
        yield from (f"{tag} {text}" for text in _TAGGED.split(" "))


def keys() -> Iterator[str]:
    """Keys, of which each stands alone in an object."""
    yield from (
        (
            "y no null ~ 1 017 0x1F 1.0 1.5 1e3 1e6 1234567.0 0.00001 123456789.0 1e39 -0.0 .inf .nan 18446744073709551615 "
            "9223372036854775807 2020-01-01 12:30:45 'y' \"1\" << '<<' a/b a.b !!str_y !!int_1 !!float_1 !!null_a"
        )
        .replace("_", "\0")
        .split(" ")
    )


def documents() -> Iterator[str]:
    """Whole texts."""
    for body in _BODIES:
        yield HEAD + body
    yield from _WHOLE


_BODIES = (
    "", "data:", "data: {}", "data: []", "data: |", "data: |\n", "data: >-\n", "data: |\n  a", "data: |\n  a\n",
    "data: |-\n  a\n\n", "data: |+\n  a\n\n\n", "data: |+\n  a\n\n\nz: 1\n", "data: >\n  a\n  b\n\n  c\n   d\n  e\n",
    "data: |2\n    a\n   b\n", "data: |1\n  a\n", "data: |-2\n  a\n", "data: |0\n  a\n", "data: |\n\ta\n",
    "data: |\n  a\n \tb\n", "data: |\n\n  a\n", "data: |\n   \n  a\n", "data: |\n  a\n# no\n", "data: |\n  # yes\n",
    "data: | # why\n  a\n", "data: |x\n  a\n", "data: a\n  b\n  c\n", "data: a\n\n  b\n", "data:\n  a\n  b\n",
    "data: 'a\n  b\n\n  c'\n", 'data: "a\\\n  b"\n', 'data: "a\n  b"\n', "data:\n- a\n- b\n", "data:\n  - a\n  - b\n",
    "data:\n- a\n - b\n", "data:\n- - a\n  - b\n- []\n", "data:\n-\n  a: 1\n-\n- b\n", "data:\n- a: 1\n  b: 2\n",
    "data:\n- a: 1\n   b: 2\n", "data:\n- a: 1\n b: 2\n", "data:\n  a: 1\n   b: 2\n", "data:\n    a: 1\n  b: 2\n",
    "data:\n\ta: 1\n", "data:\n  a:\t1\n", "data:\t1\n", "data:\n  a: 1\n\t\n  b: 2\n", "data:\n  a: 1 \t\n", "data: [\n\t1]\n",
    "data: {a: 1,}\n", "data: [1, 2,]\n", "data: [1, , 2]\n", "data: {a, b: }\n", "data: {a: 1, b}\n", "data: {a:1}\n",
    "data: {a: b: c}\n", 'data: {"a":1}\n', "data: [a: 1, b: 2]\n", "data: [http://x:80/, b]\n", "data: {a: [1, {b: y}]}\n",
    "data: [1, 2\n", "data: {a: 1\n", "data: 'a\n", 'data: "a\n', "data: [1]]\n", "data: a: b\n", "data: - a\n", "data: 'a' b\n",
    "data: ]\n", "data: ,\n", "data: a, b\n", "data: #\n", "data: # a\n  b: 1\n", "data: a# b\n", "data:\n  a : 1\n",
    "data:\n  a:1\n", "data:\n  a\n  b: 1\n", "data:\n  ? a\n  : b\n", "data:\n  ? [a]\n  : b\n", "data:\n  ? a\n",
    "data: &a {x: 1}\nmore: *a\n", "data: *a\n", "data: &a [*a]\n", "data: &a 1\nb: &a 2\nc: *a\n", "data: {*a : 1}\n",
    "a: &a k\ndata: {*a : 1}\n", "a: &a [k]\ndata: {*a : 1}\n", "a: &a {x: 1, y: 2}\ndata:\n  <<: *a\n  x: 3\n",
    "a: &a {x: 1}\ndata:\n  x: 3\n  <<: *a\n", "a: &a {x: 1}\nb: &b {x: 2, y: 2}\ndata:\n  <<: [*a, *b]\n",
    "a: &a {x: 1}\ndata:\n  <<: *a\n  <<: {x: 2, z: 3}\n", "data:\n  <<: 1\n", "data:\n  <<: [1]\n", "data:\n  '<<': {x: 1}\n",
    "data:\n  !!merge <<: {x: 1}\n", "a: &a [1]\ndata:\n  <<: *a\n", "data:\n  <<: {x: {y: 1}, <<: {x: 2, w: 3}}\n",
    "data: !!map {a: 1}\n", "data: !!seq [1]\n", "data: !!set {a, b}\n", "data: !!omap [a: 1]\n", "data: !!str {a: 1}\n",
    "data: !!binary |\n  YWJj\n  ZGVm\n", "data: !e!x 1\n", "data: !<tag:yaml.org,2002:str> 1\n", "data: !!str\n",
    "data: {a: 1, a: 2}\n", "data:\n  a: 1\n  b: 2\n  a: 3\n", "data: {1: a, '2': b}\n", "data: {~: 1}\n", "data: {[a]: 1}\n",
    "data: {{ .Values.x }}\n", "data: \x07\n", "data: \x85\n", "data: a\u2028  b\n", "data: \xa0a\n", "data: a\rb: 1\n",
    "data: @a\n", "data: %a\n", "data: `a`\n", "data: *.x\n", "data: !x\n", "data: &x\n", "data: |\n  ---a\n  ...\n",
    "data: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
    "data: &a [1,2,3,4,5,6,7,8,9]\nb: [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n", "data: 1\n...\n", "data: 1\n...\nmore: 2\n",
)  # fmt: skip
_OBJECT = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}'
_WHOLE = (
    f"---\n{HEAD}", f"---\n---\n{HEAD}---\n", f"{HEAD}---\n{HEAD}data: 1\n", f"{HEAD}--- # more\n{HEAD}", f"# why\n---\n{HEAD}",
    f"{HEAD}---\n# nothing\n---\n{HEAD}data: 2\n", f"{HEAD}--- {{a: 1}}\n", f"{HEAD}---x\n", f"{HEAD}---\n\n---\nnull\n---\n{HEAD}",
    f"\ufeff{HEAD}", f"\ufeff---\n{HEAD}", HEAD.replace("\n", "\r\n"), f"{HEAD}data: |\n  a\n  b\n".replace("\n", "\r\n"),
    f"{HEAD}---\n{HEAD}".replace("\n", "\r\n"), f"%YAML 1.1\n---\n{HEAD}", f"---\n%YAML 1.1\n{HEAD}", f"  {HEAD}",
    "  " + HEAD.replace("\n", "\n  "), f"{_OBJECT}}}", f'{_OBJECT}, "data": [1, 1.0, 1e3, -0, 1.5, 12345678901234567890]}}',
    f'\n\t{_OBJECT},\n\t"data": "\\ud83d\\ude00\\/\\u00e9"}}', f'{_OBJECT}, "data": 1, "data": 2}}', f'{_OBJECT}, "data": y}}',
    f'{_OBJECT}, "data": [1,]}}', f'{_OBJECT}, "data": "a\tb"}}', f'{_OBJECT}, "data": 017}}', f'{_OBJECT}, "data": "\\ud800"}}',
    f'{_OBJECT}, "data": 1e400}}', f"{_OBJECT}}}{_OBJECT}}}", f"{_OBJECT}}}\n{_OBJECT}}}\n", f"{_OBJECT}}}\n---\n{HEAD}",
    f"{HEAD}---\n{_OBJECT}}}", f"{_OBJECT}", f'{_OBJECT}, "data": [1 2]}}', f'{_OBJECT}, "data" 1}}',
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: y}", '{"apiVersion": v1, kind: ConfigMap, metadata: {name: x}}',
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}} b", f"{HEAD}data: &a 1\n---\n{HEAD}data: *a\n",
    f"{HEAD}---\n{HEAD}data: [\n", f"{HEAD}data: |\n  a\n---\n{HEAD}data: b", HEAD.rstrip("\n"), f"\n\n{HEAD}\n\n", f"\t\n{HEAD}",
)  # fmt: skip


class Seen(NamedTuple):
    """What kubectl made of a text.

    Attributes:
        documents: the objects that it saw; None when it refused.
        refusal: why it did.
    """

    documents: list[Any] | None
    refusal: str = ""


def kubectl() -> list[str] | None:
    """How kubectl is called; None where there is none."""
    found = shlex.split(os.environ.get("KTUI_TEST_KUBECTL", "")) or [""]
    return found if found[0] else None


def ask(text: str, kubeconfig: Path, command: list[str]) -> Seen:
    """Let kubectl read a text."""
    done = subprocess.run(
        [*command, "create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"],
        input=text.encode(),
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return Seen(None, done.stderr.decode().strip())
    found, rest = list[Any](), done.stdout.decode().lstrip()
    while rest:
        item, end = json.JSONDecoder().raw_decode(rest)
        # kubectl puts it in.
        item["metadata"].pop("namespace", None)
        found.append(in_64_bits(item))
        rest = rest[end:].lstrip()
    return Seen(found)


def in_64_bits(value: Any) -> Any:
    """A value of JSON with integers of 64 bits; Go has floats for larger ones, and prints no dot."""
    if isinstance(value, dict):
        return {key: in_64_bits(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [in_64_bits(inner) for inner in value]
    return float(value) if type(value) is int and not -(2**63) <= value < 2**63 else value


def texts() -> dict[str, list[str]]:
    """All texts as documents, by the file that they are recorded in."""
    return {
        "scalars": [f"{HEAD}data: {text}\n" for text in scalars()],
        "keys": [f"{HEAD}data:\n  {text.replace(chr(0), ' ')}: 1\n" for text in keys()],
        "documents": list(documents()),
    }


def recorded() -> dict[str, list[tuple[str, Seen]]]:
    """What was recorded."""
    found = {}
    for name in texts():
        entries = json.loads((GOLDEN / f"{name}.json").read_text())
        found[name] = [
            (entry["text"], Seen(in_64_bits(entry.get("documents")), entry.get("refused", ""))) for entry in entries
        ]
    return found


def asked(wanted: Iterable[str], kubeconfig: Path, command: list[str]) -> list[Seen]:
    """Let kubectl read texts, some at a time."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda text: ask(text, kubeconfig, command), wanted))


def main() -> int:
    """Record what kubectl makes of all texts."""
    kubeconfig, command = os.environ.get("KTUI_TEST_KUBECONFIG"), kubectl()
    if not kubeconfig or not command:
        print("KTUI_TEST_KUBECONFIG names no cluster, or there is no kubectl.", file=sys.stderr)
        return 2
    for name, wanted in texts().items():
        entries = [
            {"text": text, "refused": seen.refusal}
            if seen.documents is None
            else {"text": text, "documents": seen.documents}
            for text, seen in zip(wanted, asked(wanted, Path(kubeconfig), command), strict=True)
        ]
        lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in entries)
        (GOLDEN / f"{name}.json").write_text(f"[\n{lines}\n]\n")
        print(f"{name}: {len(entries)}, {sum('refused' in entry for entry in entries)} of them refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
