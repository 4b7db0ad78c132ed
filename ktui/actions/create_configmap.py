"""Create a ConfigMap, as `kubectl create configmap` does from literals and from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ktui.actions.action import Access, Action, Cluster, Refusal, Step, Target
from ktui.actions.creation import creation, meta, name_field, namespace_field, pairs, refused, text_of
from ktui.actions.form import Form, TextField, Values
from ktui.actions.names import config_key, dns_subdomain
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR

CONFIGMAPS = generic_kind(GVR("", "v1", "configmaps"), "ConfigMap", True, ("cm",))


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form(
        (
            name_field(dns_subdomain),
            namespace_field(cluster, targets),
            TextField(
                name="literals",
                label="Values",
                help="A line each: KEY=VALUE.",
                lines=6,
                placeholder="LOG_LEVEL=debug",
                check=refused(lambda text: _collected(pairs(text))),
            ),
            TextField(
                name="file",
                label="File",
                help="The name of a file whose content is typed below, if there is one.",
                placeholder="app.conf",
                check=lambda text: config_key(text.strip()),
            ),
            TextField(
                name="content",
                label="Content",
                help="What is in the file.",
                lines=8,
                shown=lambda values: bool(text_of(values, "file")),
            ),
        )
    )


def _plan(target: Target, values: Values) -> Sequence[Step]:
    named = meta(values)
    file, content = text_of(values, "file"), str(values.get("content") or "")
    if content and not content.endswith("\n"):
        # As files end.
        content += "\n"
    literals = list(pairs(str(values.get("literals") or "")))
    data = _collected([*([(file, content)] if file else []), *literals], named["name"])
    words = [f"--from-literal={key}={value}" for key, value in literals]
    if file:
        words.insert(0, f"--from-file={file}=/dev/stdin")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, **({"data": data} if data else {})}
    return (creation(CONFIGMAPS, body, "create", "configmap", named["name"], *words, stdin=content if file else ""),)


def _collected(found: Sequence[tuple[str, str]] | Iterator[tuple[str, str]], name: str = "") -> dict[str, str]:
    """Keys and values, each key once.

    Raises:
        Refusal: in the words of validateNewConfigMap in kubectl.
    """
    data: dict[str, str] = {}
    for key, value in found:
        if wrong := config_key(key):
            raise Refusal(f'"{key}" is not a valid key name for a ConfigMap: {wrong.replace("; ", ",")}')
        if key in data:
            of = f' for ConfigMap "{name}"' if name else ""
            raise Refusal(f'cannot add key "{key}", another key by that name already exists in Data{of}')
        data[key] = value
    return data


CREATE_CONFIGMAP = Action(
    id="create-configmap",
    key="c",
    title="Create config map",
    help="Make a config map from values, or from the content of a file.",
    plan=_plan,
    offers=lambda kind: kind.gvr == CONFIGMAPS.gvr,
    access=(Access("create", gvr=CONFIGMAPS.gvr),),
    form=_form,
    many=False,
    creates=True,
    done="Created",
)
