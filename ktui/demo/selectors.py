"""Label and field selectors: from their text to a predicate on objects.

Grammar and errors of k8s.io/apimachinery `labels.Parse` and `fields.ParseSelector`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ktui.demo.errors import StatusError, bad_request
from ktui.demo.names import label_value_problems, qualified_name_problems

Object = dict[str, Any]
Predicate = Callable[[Object], bool]
LabelTest = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(r"\s*(==|!=|=|>|<|!|\(|\)|,|[^\s=!<>(),]+)")
_NO_START = (",", "(", ")", "=", "==", "!=", ">", "<")
_SIGNS = (*_NO_START, "!")
_OPERATORS = ("=", "==", "!=", "in", "notin", ">", "<")


@lru_cache(maxsize=256)
def label_test(text: str) -> LabelTest:
    """Reads a label selector such as `app=web,tier in (a, b),!canary`.

    Returns:
        A function that says whether a set of labels satisfies it.

    Raises:
        StatusError: 400, worded as the API server words it.
    """
    tests = _Parser(text).requirements()
    if len(tests) == 1:
        return tests[0]
    return lambda labels: all(test(labels) for test in tests)


def matches_labels(selector: Mapping[str, Any] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether labels satisfy a LabelSelector object (`matchLabels` and `matchExpressions`); None matches nothing."""
    if selector is None:
        return False
    labels = labels or {}
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or ():
        key, values = expression["key"], expression.get("values") or ()
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[expression["operator"]]
        if not holds:
            return False
    return True


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def requirements(self) -> list[LabelTest]:
        tests: list[LabelTest] = []
        if self._peek() in _NO_START:
            raise bad_request(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
        while self._at < len(self._tokens):
            tests.append(self._requirement())
            if self._at < len(self._tokens):
                token = self._next()
                if token != ",":
                    raise bad_request(f"found '{token}', expected: ',' or 'end of string'")
                if self._peek() == "" or self._peek() in _NO_START:
                    raise bad_request(f"found '{self._peek()}', expected: identifier after ','")
        return tests

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _key(self) -> str:
        key = self._word()
        for problem in qualified_name_problems(key):
            raise _unparsable(f'<nil>: Invalid value: "{key}": {problem}')
        return key

    def _word(self) -> str:
        token = self._next()
        if not token or token in _SIGNS:
            raise _unparsable(f"found '{token}', expected: identifier")
        return token

    def _requirement(self) -> LabelTest:
        if self._peek() == "!":
            self._next()
            absent = self._key()
            return lambda labels: absent not in labels
        key = self._key()
        operator = self._peek()
        if operator in ("", ","):
            return lambda labels: key in labels
        if operator not in _OPERATORS:
            raise _unparsable(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        self._next()
        if operator in ("in", "notin"):
            values = _checked(key, self._set())
            if operator == "in":
                return lambda labels: labels.get(key) in values
            return lambda labels: labels.get(key) not in values
        value = "" if self._peek() in ("", ",") else self._word()
        if operator not in (">", "<"):
            _checked(key, frozenset([value]))
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        if operator in (">", "<"):
            return _comparison(key, operator, value)
        return lambda labels: labels.get(key) == value

    def _set(self) -> frozenset[str]:
        token = self._next()
        if token != "(":
            raise _unparsable(f"found '{token}' expected: '('")
        values = set()
        while True:
            token = self._peek()
            if token in (",", ")"):
                values.add("")  # `in (a,)` means a or the empty value
            else:
                values.add(self._word())
            token = self._next()
            if token == ")":
                return frozenset(values)
            if token != ",":
                raise _unparsable(f"found '{token}', expected: ',' or ')'")


def _checked(key: str, values: frozenset[str]) -> frozenset[str]:
    for index, value in enumerate(sorted(values)):
        for problem in label_value_problems(value):
            raise _unparsable(f'values[{index}][{key}]: Invalid value: "{value}": {problem}')
    return values


def _comparison(key: str, operator: str, value: str) -> LabelTest:
    try:
        bound = int(value)
    except ValueError:
        why = "for 'Gt', 'Lt' operators, the value must be an integer"
        raise _unparsable(f'values[0]: Invalid value: "{value}": {why}') from None

    def compare(labels: Mapping[str, str]) -> bool:
        text = labels.get(key, "")
        if not re.fullmatch(r"[+-]?\d+", text):
            return False
        return int(text) > bound if operator == ">" else int(text) < bound

    return compare


def _unparsable(why: str) -> StatusError:
    return bad_request(f"unable to parse requirement: {why}")


# Fields a selector may name beside metadata.name and metadata.namespace, and how to read them.
_Getter = Callable[[Object], str]


def _path(*keys: str) -> _Getter:
    def get(obj: Object) -> str:
        value: Any = obj
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    return get


def _paths(*names: str) -> dict[str, _Getter]:
    return {name: _path(*name.split(".")) for name in names}


_FIELDS: dict[str, dict[str, _Getter]] = {
    "pods": _paths(
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "nodes": _paths("spec.unschedulable"),
    "namespaces": _paths("status.phase"),
    "secrets": _paths("type"),
    "services": _paths("spec.clusterIP", "spec.type"),
    "events": _paths(
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "type",
    )
    | {"source": _path("source", "component")},
    "jobs.batch": _paths("status.successful"),
    "replicasets.apps": _paths("status.replicas"),
}
# Booleans and counts that are unset print as Go prints their zero.
_ZEROS = {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.successful": "0", "status.replicas": "0"}
_COMMON = _paths("metadata.name", "metadata.namespace")
_FIELD_TERM = re.compile(r"^(.*?)(!=|==|=)(.*)$", re.DOTALL)


def field_predicate(resource: str, text: str) -> Predicate:
    """Reads a field selector such as `status.phase=Running,spec.nodeName!=worker-1`.

    Args:
        resource: the storage key; it says which fields are allowed.
        text: the selector.

    Raises:
        StatusError: 400 for other syntax and for fields the kind does not offer.
    """
    tests: list[tuple[_Getter, str, bool, str]] = []
    for term in text.split(","):
        if not term:
            continue
        found = _FIELD_TERM.match(term)
        if found is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        name, operator, value = found.groups()
        getter = _COMMON.get(name) or _FIELDS.get(resource, {}).get(name)
        if getter is None:
            raise bad_request(_unsupported_field(resource, name))
        tests.append((getter, value, operator != "!=", _ZEROS.get(name, "")))
    return lambda obj: all(((get(obj) or zero) == value) is wanted for get, value, wanted, zero in tests)


def _unsupported_field(resource: str, name: str) -> str:
    # Kinds with fields of their own say it in their own words.
    if resource == "jobs.batch":
        return f'field label "{name}" not supported for Job'
    if resource in _FIELDS:
        return f"field label not supported: {name}"
    return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def object_predicate(resource: str, labels: str, fields: str) -> Predicate | None:
    """Joins a label and a field selector; None when both are empty, so that callers can skip the work.

    Args:
        resource: the storage key.
        labels: label selector text, perhaps "".
        fields: field selector text, perhaps "".
    """
    tests: list[Predicate] = []
    if labels:
        wanted = label_test(labels)
        tests.append(lambda obj: wanted(obj["metadata"].get("labels") or {}))
    if fields:
        tests.append(field_predicate(resource, fields))
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else lambda obj: all(test(obj) for test in tests)
