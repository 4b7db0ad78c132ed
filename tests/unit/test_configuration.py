"""The configuration: what it says holds, and what it says wrongly is told in one sentence, with the place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ktui.configuration import Configuration, ContextRules, UndoRules, configuration_path, load_configuration
from ktui.kube.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_everything(file: Path) -> None:
    """All there is to say."""
    file.write_text(
        "read_only: true\ntheme: ktui-light\n"
        "contexts:\n  prod: {protected: true}\n  'true': {read_only: yes}\n  empty:\n"
        "undo:\n  keep_secrets: true\n"
    )
    assert load_configuration(file) == Configuration(
        read_only=True,
        theme="ktui-light",
        contexts={
            "prod": ContextRules(protected=True),
            "true": ContextRules(read_only=True),
            "empty": ContextRules(),
        },
        undo=UndoRules(keep_secrets=True),
    )


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "---\n", "{}", "undo:\ncontexts:\ntheme:\n"])
def test_nothing_means_the_defaults(file: Path, text: str | None) -> None:
    """No file, an empty one, and keys without values."""
    if text is not None:
        file.write_text(text)
    found = load_configuration(file)
    assert found == Configuration()
    assert found.of_context("any") == ContextRules(protected=False, read_only=False)


def test_a_context_has_what_holds_everywhere(file: Path) -> None:
    """Read-only everywhere is read-only there; protected is each context's own."""
    file.write_text("contexts: {a: {read_only: true}, b: {protected: true}}")
    found = load_configuration(file)
    assert [found.of_context(name).read_only for name in "abc"] == [True, False, False]
    assert [found.of_context(name).protected for name in "abc"] == [False, True, False]
    file.write_text("read_only: true\ncontexts: {b: {read_only: false}}")
    assert load_configuration(file).of_context("b").read_only


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("read-only: true", "read-only in {} is not known.", "read_only, theme, contexts, undo"),
        ("contexts: {prod: {protect: true}}", "contexts.prod.protect in {} is not known.", "protected, read_only"),
        ("undo: {secrets: true}", "undo.secrets in {} is not known.", "keep_secrets"),
        ("1: 2", "1 in {} is not known.", "read_only"),
        ("read_only: 'true'", "read_only in {} must be true or false.", "Correct it"),
        ("read_only: 1", "read_only in {} must be true or false.", "Correct it"),
        ("theme: [a]", "theme in {} must be a text.", "Correct it"),
        ("contexts: [prod]", "contexts in {} must have keys of its own, on lines below it.", "Correct it"),
        ("contexts: {prod: true}", "contexts.prod in {} must have keys of its own", "Correct it"),
        ("contexts: {true: {}}", "contexts.True in {} needs quotes around its name.", "Correct it"),
        ("undo: true", "undo in {} must have keys of its own", "Correct it"),
        ("read_only", "The configuration {} has no keys", "move it away"),
        ("a: b: c", "The configuration {} is not valid YAML (line 1).", "move it away"),
        ("x: 2026-99-99", "The configuration {} is not valid YAML.", "move it away"),
        ("a: !!python/name:os.system x", "The configuration {} is not valid YAML (line 1).", "move it away"),
        ("#" * 1_000_001, "The configuration {} is too large to be a configuration.", "move it away"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_a_next_step(file: Path, text: str, says: str, advises: str) -> None:
    """With the file and the key; never is it passed over."""
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_configuration(file)
    assert raised.value.sentence.startswith(says.format(file))
    assert advises in raised.value.next_step


def test_a_file_that_cannot_be_read(file: Path) -> None:
    """A folder in its place, and what is no text."""
    file.write_bytes(b"theme: \xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_configuration(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError, match="cannot be read \\(is a directory\\)"):
        load_configuration(file)


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder for configurations."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert configuration_path() == tmp_path / "ktui" / "config.yaml"
    configuration_path().parent.mkdir()
    configuration_path().write_text("theme: x")
    assert load_configuration().theme == "x"


def test_who_has_none_does_not_wait_for_yaml(tmp_path: Path) -> None:
    """The first frame waits for this module."""
    code = "import sys; from ktui.configuration import load_configuration as l; l(); print('yaml' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (told.stdout, told.stderr) == ("False\n", "")
