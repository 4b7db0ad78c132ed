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


def creating(text: str) -> Action:
    """The same for a text that is there already.

    Args:
        text: the manifest.
    """

    async def form(cluster: Cluster, targets: Sequence[Target]) -> Form:
        _, *others = (await _form(cluster, targets)).fields
        return Form((Carried(name="yaml", value=text), *others))

    return dataclasses.replace(CREATE_FROM_YAML, form=form, title="Create", written=False)


CREATE_FROM_YAML = Action(
    id="create-from-yaml",
    key="y",
    title="Create from YAML",
    help="Write manifests, or open a file of them, and make their objects.",
    plan=_plan,
    offers=lambda kind: True,
    form=_form,
    many=False,
    creates=True,
    written=True,
    done="Created",
)
