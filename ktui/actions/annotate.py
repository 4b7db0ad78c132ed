"""Annotate: notes that people and programs attach to an object.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/
"""

from __future__ import annotations

from collections.abc import Sequence

from ktui.actions.action import Access, Action, Cluster, Refusal, Step, Target
from ktui.actions.form import Form, Values
from ktui.actions.metadata_words import (
    OVERWRITE,
    WORDS,
    checked,
    has_metadata,
    metadata,
    metadata_form,
    metadata_step,
    parse_annotations,
    words_of,
)
from ktui.actions.names import annotation_key

_CHANGE_CAUSE = "kubernetes.io/change-cause"


def _plan(target: Target, values: Values) -> Sequence[Step]:
    pairs = parse_annotations(words_of(values[WORDS]))
    if not pairs.put and not pairs.gone:
        raise Refusal("at least one annotation update is required")
    before = metadata(target.live, "annotations")
    # kubectl lets the change-cause be written anew every time. Source: k8s.io/kubectl/pkg/cmd/annotate.
    kept = [
        f"'{key}' already has a value ({before[key]})"
        for key, value in pairs.put.items()
        if before.get(key, value) != value and key != _CHANGE_CAUSE
    ]
    if kept and not values[OVERWRITE]:
        declared = "--overwrite is false but found the following declared annotation(s)"
        raise Refusal(f"{declared}: {'; '.join(kept)}")
    if pairs.applied(before) == before:
        return ()
    return (metadata_step(target, "annotations", "annotate", pairs, values),)


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    check = checked(parse_annotations, annotation_key)
    return await metadata_form(cluster, targets, "annotations", check, "example.com/owner=the shop team")


ANNOTATE = Action(
    id="annotate",
    key="o",
    title="Annotate",
    help="Set or remove annotations.",
    plan=_plan,
    offers=has_metadata,
    access=(Access("patch"),),
    form=_form,
    done="Annotated",
)
