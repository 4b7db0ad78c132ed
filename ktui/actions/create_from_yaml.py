"""Create objects from YAML, as `kubectl create -f -` does, each after those that it needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ktui.actions.action import Action, Cluster, Step, Target
from ktui.actions.creation import from_manifest, namespace_field, refused, text_of
from ktui.actions.documents import items, parts, ready, served
from ktui.actions.form import Carried, Form, TextField, Values
from ktui.manifests.reading import read


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form(
        (
            TextField(
                name="yaml",
                label="YAML",
                help="One or more objects, with --- between them.",
                lines=20,
                check=refused(lambda text: items(read(text))),
                required=True,
            ),
            namespace_field(cluster, targets),
            Carried(name="kinds", value=await served(cluster, "create")),
        )
    )


def _plan(target: Target, values: Values) -> Sequence[Step]:
    made = parts(items(read(str(values.get("yaml") or ""))), values["kinds"], text_of(values, "namespace"))
    return [
        # A dry run leaves nothing behind, so it refuses what needs a namespace or a definition made just before.
        dataclasses.replace(
            from_manifest(part.kind, part.body, previewed=not part.late), needs=part.needs, **ready(part, made)
        )
        for part in made
    ]


CREATE_FROM_YAML = Action(
    id="create-from-yaml",
    key="y",
    title="Create from YAML",
    help="Make the objects of a manifest.",
    plan=_plan,
    offers=lambda kind: True,
    form=_form,
    many=False,
    creates=True,
    done="Created",
)
