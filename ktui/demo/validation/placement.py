"""Rules for where pods run, and for selectors: kubernetes `pkg/apis/core/validation`, apimachinery `validation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktui.demo.errors import Cause, bad_value, required, unsupported
from ktui.demo.names import label_causes, label_value_problems, qualified_name_problems

Object = dict[str, Any]

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_MUST, _SHOULD = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
_NO_OPERATOR = "not a valid selector operator"


def toleration_causes(toleration: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a toleration."""
    key, operator, value, effect = (toleration.get(name) or "" for name in ("key", "operator", "value", "effect"))
    for problem in qualified_name_problems(key) if key else ():
        yield bad_value(f"{field}.key", key, problem)
    if not key and operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield bad_value(f"{field}.operator", operator, why)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield bad_value(f"{field}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator == "Exists" and value:
        yield bad_value(f"{field}.operator", value, "value must be empty when `operator` is 'Exists'")
    elif operator in ("Lt", "Gt"):  # known, but behind a feature gate that is closed
        yield unsupported(f"{field}.operator", operator, ("Equal", "Exists", "Lt", "Gt"))
    elif operator not in ("", "Equal", "Exists"):
        yield unsupported(f"{field}.operator", operator, ("Equal", "Exists"))
    elif problems := label_value_problems(value):
        yield bad_value(f"{field}.operator", value, ";".join(problems))
    if effect and effect not in _EFFECTS:
        yield unsupported(f"{field}.effect", effect, _EFFECTS)


def selector_causes(selector: Object | None, field: str) -> Iterator[Cause]:
    """What is wrong with a label selector.

    Args:
        selector: `matchLabels` and `matchExpressions`; None for none.
        field: where it stands.
    """
    yield from label_causes((selector or {}).get("matchLabels"), f"{field}.matchLabels")
    for index, expression in enumerate((selector or {}).get("matchExpressions") or ()):
        here = f"{field}.matchExpressions[{index}]"
        operator, values = expression.get("operator", ""), expression.get("values")
        if operator in ("In", "NotIn") and not values:
            yield required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist") and values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield Cause("FieldValueForbidden", f"{here}.values", f"Forbidden: {why}")
        elif operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            yield bad_value(f"{here}.operator", operator, _NO_OPERATOR)
        key = expression.get("key", "")
        yield from (bad_value(f"{here}.key", key, problem) for problem in qualified_name_problems(key))


def affinity_causes(affinity: Object, field: str) -> Iterator[Cause]:
    """What is wrong with an affinity."""
    near = affinity.get("nodeAffinity") or {}
    if (wanted := near.get(_MUST)) is not None:
        here = f"{field}.nodeAffinity.{_MUST}.nodeSelectorTerms"
        if not wanted.get("nodeSelectorTerms"):
            yield required(here, "must have at least one node selector term")
        for index, term in enumerate(wanted.get("nodeSelectorTerms") or ()):
            yield from _node_term(term, f"{here}[{index}]")
    for index, preferred in enumerate(near.get(_SHOULD) or ()):
        here = f"{field}.nodeAffinity.{_SHOULD}[{index}]"
        yield from _weight(preferred, here)
        yield from _node_term(preferred.get("preference") or {}, f"{here}.preference")
    for kind in ("podAffinity", "podAntiAffinity"):
        pods = affinity.get(kind) or {}
        for index, term in enumerate(pods.get(_MUST) or ()):
            yield from _pod_term(term, f"{field}.{kind}.{_MUST}[{index}]")
        for index, preferred in enumerate(pods.get(_SHOULD) or ()):
            here = f"{field}.{kind}.{_SHOULD}[{index}]"
            yield from _weight(preferred, here)
            yield from _pod_term(preferred.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")


def _weight(preferred: Object, field: str) -> Iterator[Cause]:
    weight = preferred.get("weight", 0)
    if not 1 <= weight <= 100:
        yield bad_value(f"{field}.weight", weight, "must be in the range 1-100")


def _node_term(term: Object, field: str) -> Iterator[Cause]:
    for index, wanted in enumerate(term.get("matchExpressions") or ()):
        here, operator, values = f"{field}.matchExpressions[{index}]", wanted.get("operator", ""), wanted.get("values")
        if operator in ("In", "NotIn") and not values:
            yield required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist") and values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield Cause("FieldValueForbidden", f"{here}.values", f"Forbidden: {why}")
        elif operator in ("Gt", "Lt") and len(values or ()) != 1:
            yield required(f"{here}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
        elif operator not in ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"):
            yield bad_value(f"{here}.operator", operator, _NO_OPERATOR)
        key = wanted.get("key", "")
        yield from (bad_value(f"{here}.key", key, problem) for problem in qualified_name_problems(key))


def _pod_term(term: Object, field: str) -> Iterator[Cause]:
    yield from selector_causes(term.get("labelSelector"), f"{field}.labelSelector")
    yield from selector_causes(term.get("namespaceSelector"), f"{field}.namespaceSelector")
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{field}.topologyKey", "can not be empty")
    yield from (bad_value(f"{field}.topologyKey", key, problem) for problem in qualified_name_problems(key))


def spread_causes(constraint: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a topology spread constraint."""
    skew, when = constraint.get("maxSkew", 0), constraint.get("whenUnsatisfiable", "")
    if skew <= 0:
        yield bad_value(f"{field}.maxSkew", skew, "must be greater than zero")
    if not constraint.get("topologyKey"):
        yield required(f"{field}.topologyKey", "can not be empty")
    if when not in _UNSATISFIABLE:
        yield unsupported(f"{field}.whenUnsatisfiable", when, _UNSATISFIABLE)
    yield from selector_causes(constraint.get("labelSelector"), f"{field}.labelSelector")
