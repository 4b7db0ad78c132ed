"""`ktui check` tells what is wrong with manifests, line by line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ktui.__main__ import main
from ktui.kube.errors import ConnectionFailed

# ruff: noqa: F401, F811 - pytest finds fixtures by their names
from tests.unit.command_line import Done, Shop, ktui, logging_kept, shop

REFERRING = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: robot
imagePullSecrets:
  - name: regcred
secrets:
- name: given
- name: gone
---
apiVersion: v1
kind: Secret
metadata:
  name: given
  namespace: shop
"""

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  on: yes\n"


def check(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit code of `ktui check`, and what it printed."""
    code = main(["check", "--offline", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_nothing_is_said_of_good_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Silence, and exit code 0."""
    (tmp_path / "a.yaml").write_text(GOOD)
    assert check(capsys, str(tmp_path / "a.yaml")) == (0, "", "")


def test_problems_are_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File, line, column, severity, path and message; the files of a directory in order."""
    (tmp_path / "a.yaml").write_text(GOOD + "  x: .inf\n\ty: 1\n")
    (tmp_path / "b.yml").write_text("kind: Pod\nmetadata: {}\n")
    (tmp_path / "c.txt").write_text(":")
    code, out, _ = check(capsys, str(tmp_path))
    assert code == 1
    assert out.splitlines() == [
        f"{tmp_path}/a.yaml:7:6: error: data.x: `.inf` is a number that JSON has no word for: use quotes",
        f"{tmp_path}/a.yaml:8:1: error: data: a tab cannot indent: use spaces",
        f"{tmp_path}/b.yml:1:1: error: apiVersion: apiVersion is not set",
        f"{tmp_path}/b.yml:2:11: error: metadata: metadata.name is not set, nor is metadata.generateName",
    ]


def test_json_has_documents_and_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The documents are those that Kubernetes would read, as it reads them."""
    file = tmp_path / "a.yaml"
    file.write_text(f"{GOOD}---\na: [\n---\n- 1\n")
    code, out, _ = check(capsys, "-o", "json", str(file))
    assert code == 1
    told = json.loads(out)
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"true": True}}
    assert told["documents"] == [item, [1]]
    assert told["problems"][1] == {
        "file": str(file),
        "line": 10,
        "column": 1,
        "path": "",
        "severity": "error",
        "message": "this is no object, which has an apiVersion and a kind",
    }


def test_standard_input_and_items_of_lists(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` is what comes in; the items of a List are objects, too."""
    text = "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  apiVersion: v1\n  metadata: {name: a}\n- kind: Pod\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, out, _ = check(capsys, "-")
    assert code == 1
    assert [line.split(": ")[0::2][:2] for line in out.splitlines()] == [
        ["-:7:3", "items[1].apiVersion"],
        ["-:7:3", "items[1].metadata"],
    ]


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are checked all the same; bytes that are no text are problems."""
    (tmp_path / "a.yaml").write_bytes(b"a: \xff\x1b[31m\n")
    code, out, err = check(capsys, str(tmp_path / "none.yaml"), str(tmp_path / "a.yaml"))
    assert code == 1
    assert "none.yaml cannot be read: No such file or directory." in err
    assert "a.yaml:1:4: error: .: the byte FF is not allowed: use an escape\n" in out
    assert "a.yaml:1:5: error: .: the character U+001B is not allowed: use an escape\n" in out


def test_warnings_are_problems_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are told, and the exit code is 1, unless errors alone are wanted."""
    (tmp_path / "a.yaml").write_text(f"{GOOD}  a: 1\n  <<: {{a: 2}}\n")
    code, out, _ = check(capsys, str(tmp_path / "a.yaml"))
    assert code == 1
    assert ":8:7: warning: data: << replaces `a` above it: put it first" in out
    assert check(capsys, "--errors", str(tmp_path / "a.yaml")) == (0, "", "")


def test_what_manifests_refer_to_is_looked_up(ktui: Callable[..., Done], shop: Shop, tmp_path: Path) -> None:
    """Of a cluster that is asked; what another document brings is there. These are warnings."""
    (tmp_path / "a.yaml").write_text(REFERRING)
    done = ktui("check", "--kubeconfig", shop.kubeconfig, "-n", "shop", tmp_path / "a.yaml")
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [
        f'{tmp_path}/a.yaml:6:11: warning: imagePullSecrets[0].name: there is no secret "regcred" in namespace shop',
        f'{tmp_path}/a.yaml:9:9: warning: secrets[1].name: there is no secret "gone" in namespace shop',
    ]
    done = ktui("check", "--offline", tmp_path / "a.yaml")
    assert (done.code, done.out) == (0, "")


def test_what_could_not_be_looked_up_is_said_once(
    ktui: Callable[..., Done], shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get(*_: object) -> None:
        raise ConnectionFailed("the cluster", "timed out")

    (tmp_path / "a.yaml").write_text(REFERRING)
    monkeypatch.setattr("ktui.cli.server.get_object", get)
    done = ktui("check", "--kubeconfig", shop.kubeconfig, "-n", "shop", tmp_path / "a.yaml")
    assert (done.code, done.out) == (0, "")
    assert done.err.count("What the manifests refer to was not looked up.") == 1


def test_loose_ends_are_told_without_a_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    container = "{name: a, image: a, volumeMounts: [{name: v, mountPath: /v}]}"
    text = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - {container}\n"
    (tmp_path / "a.yaml").write_text(text)
    code, out, _ = check(capsys, str(tmp_path / "a.yaml"))
    assert code == 1
    assert 'warning: spec.containers[0].volumeMounts[0].name: there is no volume "v"' in out
