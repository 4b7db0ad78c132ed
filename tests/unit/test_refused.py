"""What a server refused is shown at its lines: recorded answers of a real Kubernetes 1.36 to manifests that cause them.

A manifest of `golden/errors` has at the line of each error `# ✖ ` and how its message begins; several of one line stand
behind each other.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.server_side_apply import manager_conflicts
from ktui.kube.errors import ApiError, Conflict, Details, api_error
from ktui.manifests.problems import Problem
from ktui.manifests.reading import Document, read
from ktui.manifests.refused import field_path, problems_of, warnings_at

HERE = Path(__file__).parent / "golden" / "errors"
ANSWERS: dict[str, Any] = json.loads((HERE / "answers.json").read_text())


class Cause(NamedTuple):
    reason: str
    message: str
    field: str


def document(text: str) -> Document:
    found = read(text)
    assert not found.errors
    return found.documents[0]


def refused(name: str) -> ApiError:
    """The error that ktui makes of a recorded answer."""
    answer = ANSWERS[name]
    return api_error(answer["status"], {}, json.dumps({"kind": "Status", **answer["body"]}).encode())


def problems(name: str) -> list[Problem]:
    error = refused(name)
    return problems_of(error.message, error.details.causes, document((HERE / f"{name}.yaml").read_text()))


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_error_of_an_answer_is_at_its_line(name: str) -> None:
    lines = (HERE / f"{name}.yaml").read_text().split("\n")
    wanted = [(row, said) for row, line in enumerate(lines, 1) for said in re.split(" +(?:# )?✖ ", line)[1:]]
    found = [(problem.line, problem.message) for problem in problems(name)]
    assert wanted
    assert len(found) == len(wanted), found
    for (row, said), (line, message) in zip(wanted, sorted(found, key=lambda one: one[0]), strict=True):
        assert row == line, found
        assert any(line == row and message.startswith(said) for line, message in found), (said, found)


def test_every_manifest_has_its_answer() -> None:
    assert {file.stem for file in HERE.glob("*.yaml")} == set(ANSWERS)


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_message_fits_into_a_line_or_two(name: str) -> None:
    for problem in problems(name):
        assert problem.severity == "error"
        assert len(problem.message) < 300
        assert "regex" not in problem.message
        assert "\n" not in problem.message


def test_an_error_that_names_no_field_is_said_of_the_document() -> None:
    found = problems_of("admission webhook \"x\" denied the request: no.", (), document("\n\nkind: Pod\n"))  # fmt: skip
    assert found == [Problem(3, 1, (), "error", 'admission webhook "x" denied the request: no')]


def test_a_place_that_is_not_in_the_text_is_named() -> None:
    causes = [Cause("FieldValueRequired", "Required value", "spec.template.spec.containers[0].image")]
    (found,) = problems_of("", causes, document("kind: Deployment\nspec:\n  template: {}\n"))
    assert (found.line, found.message) == (3, "spec.containers[0].image: Required value")


def test_indexes_belong_to_what_the_server_judged() -> None:
    """Somebody put a container in front meanwhile, and the merge of both was sent."""
    mine = document("spec:\n  containers:\n  - name: a\n  - name: b\n    image: 'no image'\n")
    judged = {"spec": {"containers": [{"name": "new"}, {"name": "a"}, {"name": "b", "image": "no image"}]}}
    causes = [Cause("FieldValueInvalid", 'Invalid value: "no image"', "spec.containers[2].image"),
              Cause("FieldValueInvalid", "Invalid value", "spec.containers[0].name")]  # fmt: skip
    found = problems_of("", causes, mine, judged)
    assert [(problem.line, problem.path) for problem in found] == [
        (2, ("spec", "containers")),
        (5, ("spec", "containers", 1, "image")),
    ]


def test_values_of_a_secret_are_where_they_are_shown() -> None:
    causes = [Cause("FieldValueInvalid", 'Invalid value: "a b": no key', "data[a b]")]
    (found,) = problems_of("", causes, document("kind: Secret\nstringData:\n  a b: x\ndata:\n  c: eA==\n"))
    assert found.line == 3


def test_what_is_wrong_is_told_though_the_value_fills_pages() -> None:
    """Of a patch that cannot be decoded, the server quotes all of it first."""
    quoted = json.dumps(json.dumps({"spec": {"args": ["x" * 9000]}}))
    wrong = {"field": "patch", "message": f'Invalid value: {quoted}: strict decoding error: unknown field "spec.foo"'}
    answer = {"kind": "Status", "reason": "Invalid", "message": "m", "details": {"causes": [wrong]}}
    error = api_error(422, {}, json.dumps(answer).encode())
    (found,) = problems_of(error.message, error.details.causes, document("kind: Pod\nspec:\n  foo: 1\n"))
    assert (found.line, found.message) == (3, 'unknown field "foo"')


# -- conflicts and warnings ------------------------------------------------------------------------


def test_the_owners_of_fields_in_conflict_are_told() -> None:
    said = r'conflict with "a \"b\"" using v1 at 2026-01-01T12:00:00Z'
    causes: list[Any] = [
        *refused("ssa-conflict").details.causes,
        Cause("FieldManagerConflict", said, '.x.ys[name="web"].z'),
        Cause("FieldManagerConflict", 'conflict with "argo"', ".spec.paused"),
        Cause("FieldValueInvalid", "another", "spec"),
    ]  # fmt: skip
    value = document("x:\n  ys:\n  - name: other\n  - name: web\n    z: 1\n").value
    found = manager_conflicts(Conflict(409, "Conflict", "", details=Details(causes=tuple(causes))), value)
    assert found is not None
    assert [(one.path, one.owner.manager, one.owner.subresource) for one in found.conflicts] == [
        (("spec", "replicas"), "kubectl.1.33", "scale"),
        (("x", "ys", 1, "z"), 'a "b"', ""),
        (("spec", "paused"), "argo", ""),
    ]
    assert "2026-01-01T12:00:00Z" in found.conflicts[1].message


def test_warnings_are_at_their_lines() -> None:
    text = document("spec:\n  foo: 1\n  containers:\n  - env:\n    - name: a\n    - name: a\n")
    said = ["v1 Foo is deprecated", 'unknown field "spec.foo"',
            'spec.containers[0].env[1]: hides previous definition of "a", which may be dropped']  # fmt: skip
    found = warnings_at(said, text)
    assert [(problem.line, problem.severity) for problem in found] == [(2, "warning"), (6, "warning")]
    assert found[1].message.startswith("hides previous definition")


# -- paths -----------------------------------------------------------------------------------------

VALUE = {
    "metadata": {"labels": {"app": "1", "app.kubernetes.io/name": "2", "app.kubernetes.io": {"name": "3"}}},
    "spec": {"ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}], "names": ["a", "b]c"], "Size": 1},
}


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("", ()),
        ("<nil>", ("<nil>",)),
        ("spec.ports[1].port", ("spec", "ports", 1, "port")),
        (".spec.ports[1].port", ("spec", "ports", 1, "port")),
        ('spec.ports[port=53,protocol="UDP"].port', ("spec", "ports", 1, "port")),
        ('spec.ports[port=53,protocol="TCP"]', ("spec", "ports", 0)),
        ("spec.ports[port=54]", ("spec", "ports", "port=54")),
        ('spec.names[="a"]', ("spec", "names", 0)),
        ('spec.names[="b]c"]', ("spec", "names", 1)),
        ("metadata.labels[app.kubernetes.io/name]", ("metadata", "labels", "app.kubernetes.io/name")),
        ('metadata.labels["app.kubernetes.io/name"]', ("metadata", "labels", "app.kubernetes.io/name")),
        ("metadata.labels['x.y']", ("metadata", "labels", "x.y")),
        (".metadata.labels.app.kubernetes.io/name", ("metadata", "labels", "app.kubernetes.io/name")),
        ("spec.size", ("spec", "Size")),
        ("spec.other[0][1]", ("spec", "other", 0, 1)),
        ("spec..x[", ("spec", "x")),
    ],
)
def test_fields_are_understood_as_they_are_written(said: str, path: tuple[str | int, ...]) -> None:
    assert field_path(said, VALUE) == path


def test_without_a_value_keys_with_dots_stand_in_brackets() -> None:
    assert field_path("metadata.labels[a.b/c]") == ("metadata", "labels", "a.b/c")
    assert field_path("a.b") == ("a", "b")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.[]=\"' ", max_size=3), inner, max_size=3),
    max_leaves=8,
)
SAID = st.text("ab.[]=\"'\\ 0,", max_size=12) | st.text(max_size=12)
MESSAGES = st.sampled_from(
    ["{}", 'strict decoding error: unknown field "{}"', "cannot unmarshal string into Go struct field A.{} of type int",
     "failed to create typed patch object (a): {}: expected string, got x", 'parsing time "{}"', "illegal base64",
     'failed to create typed patch object (a): .{}: duplicate entries for key [name="a"]', "quantities must match",
     "failed to create typed patch object (a): errors:\n  .{}: a\n  .b: element 0: x"]
)  # fmt: skip


@given(MESSAGES, SAID, JSON)
def test_whatever_a_server_says_it_is_told_somewhere(message: str, said: str, value: Any) -> None:
    told = document("{}\n")
    for text in (document(json.dumps({"a": value, "data": value, "limits": value})), told):
        found = problems_of(message.replace("{}", said), [], text)
        assert found
        found = problems_of("", [Cause("", message, said or "x")], text)
        assert all(problem.line >= 1 for problem in found)
