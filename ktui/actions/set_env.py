"""Set env: the environment variables of the containers.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_set/kubectl_set_env/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ktui.actions.action import Access, Action, Cluster, JsonObject, Refusal, Said, Step, Target
from ktui.actions.form import Form, TextField, Values
from ktui.actions.kubectl import kubectl
from ktui.actions.names import env_name
from ktui.actions.pod_template import (
    Changes,
    Container,
    all_containers,
    changed,
    container_of,
    filled_in,
    patch_step,
    remembered,
)
from ktui.actions.rollouts import about, follow_template, replacements
from ktui.kinds.kind import Trait
from ktui.kinds.tone import Tone

LINES = 6


class Wanted(NamedTuple):
    """What is to become of the variables of a container.

    Attributes:
        values: by their names, in their order.
        remove: the names of those that go.
    """

    values: dict[str, str]
    remove: set[str]


# -- what is written -------------------------------------------------------------------------------


def wanted(text: str, before: str = "") -> Wanted:
    """What lines ask for: `NAME=value` sets, `NAME-` removes, and so does taking away a line that was there.

    Args:
        text: the lines.
        before: those that were there at first.

    Raises:
        Refusal: a line is neither, or two of them contradict each other; worded as kubectl words it.
    """
    kept, values, remove = set(_lines(before)), dict[str, str](), set[str]()
    for line in _lines(text):
        name, equals, value = line.partition("=")
        if not equals and not line.endswith("-"):
            raise Refusal(f"unknown environment variable: {line}", "Write NAME=value, or NAME- to remove one.")
        if not equals:
            remove.add(line[:-1])
            continue
        if line not in kept and (wrong := env_name(name)):
            raise Refusal(f'"{name}" is not a valid key name: {wrong.replace("; ", ";")}')
        if name in values:
            raise Refusal(f"{name} is set twice.", "Keep one of the two lines.")
        values[name] = value
    if remove & values.keys():
        raise Refusal("can not both modify and remove the same environment variable in the same command")
    was = dict(line.split("=", 1) for line in kept if "=" in line)
    gone = was.keys() - values.keys()
    return Wanted({name: value for name, value in values.items() if was.get(name) != value}, remove | gone)


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def wrong_env(text: str, before: str = "") -> str:
    """What is wrong with the lines, one sentence; empty when nothing is."""
    try:
        wanted(text, before)
    except Refusal as refusal:
        return refusal.sentence
    return ""


# -- what is asked ---------------------------------------------------------------------------------


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    fields, facts = [], []
    for container, same in all_containers(targets):
        texts = {_text(one) for one in same}
        text = texts.pop() if len(texts) == 1 else ""
        if len(texts) > 1:
            facts.append(f"{container.label}: the variables differ; those that are not named stay as they are")
        fields.append(
            TextField(
                name=f"env {container.name}",
                label=container.label,
                help="NAME=value in each line; NAME- removes it",
                text=text,
                check=lambda now, before=text: wrong_env(now, before),  # type: ignore[misc]
                lines=LINES,
                placeholder="LOG_LEVEL=debug",
            )
        )
        facts += dict.fromkeys(f"{container.label}: {fact}" for one in same for fact in _kept(one))
    return Form((*fields, remembered(fields)), tuple(facts))


def _text(container: Container) -> str:
    """The variables that lines can say."""
    return "\n".join(f"{one['name']}={one.get('value', '')}" for one in _env(container) if _plain(one))


def _env(container: Container) -> list[JsonObject]:
    return list(container.spec.get("env") or ())


def _plain(variable: JsonObject) -> bool:
    value = str(variable.get("value", ""))
    return not variable.get("valueFrom") and len(value.splitlines()) <= 1 and value.strip("\r\n") == value


def _kept(container: Container) -> Iterator[str]:
    """What stays as it is unless it is named: values from elsewhere, and those of several lines."""
    for one in _env(container):
        if one.get("valueFrom"):
            yield f"{one['name']} comes from {source(one['valueFrom'])}"
        elif not _plain(one):
            yield f"{one['name']} has several lines"
    for one in container.spec.get("envFrom") or ():
        for kind, word in (("configMapRef", "configmap"), ("secretRef", "secret")):
            if kind in one:
                yield f"{one.get('prefix', '')}* comes from {word} {one[kind].get('name', '')}"


def source(value_from: JsonObject) -> str:
    """Where a value comes from: `secret db, key password`."""
    for kind, word in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
        if (found := value_from.get(kind)) is not None:
            return f"{word} {found.get('name', '')}, key {found.get('key', '')}"
    if (found := value_from.get("fieldRef") or value_from.get("resourceFieldRef")) is not None:
        return str(found.get("fieldPath") or found.get("resource", ""))
    return "elsewhere"


# -- what is done ----------------------------------------------------------------------------------


def _plan(target: Target, values: Values) -> Sequence[Step]:
    changes = _changes(target, values)
    return (patch_step(target, changes, _line(target, values, changes)),) if changes else ()


def _changes(target: Target, values: Values) -> Changes:
    changes: Changes = {}
    for name, text, before in filled_in(values, "env"):
        asked = wanted(text, before)
        if (asked.values or asked.remove) and (patch := _patch(_env(container_of(target, name)), asked)):
            changes[name] = patch
    return changes


def _patch(env: list[JsonObject], asked: Wanted) -> JsonObject:
    """The patch of a container; empty when its variables are as they are asked for."""
    now = {str(one["name"]): one for one in env}
    patches: list[JsonObject] = []
    for name, value in asked.values.items():
        one = now.get(name)
        if one is None:
            patches.append({"name": name, "value": value} if value else {"name": name})
        elif one.get("valueFrom"):
            patches.append({"name": name, "value": value or None, "valueFrom": None})
        elif one.get("value", "") != value:
            patches.append({"name": name, "value": value or None})
    patches += [{"$patch": "delete", "name": name} for name in now if name in asked.remove]
    if not patches:
        return {}
    order = [name for name in dict.fromkeys((*now, *asked.values)) if name not in asked.remove]
    if not order:
        return {"env": None}
    return {"env": patches, **({"$setElementOrder/env": [{"name": name} for name in order]} if now else {})}


def _line(target: Target, values: Values, changes: Changes) -> tuple[str, ...] | None:
    """The kubectl line for one container; what begins with `-` would be taken for an option."""
    ((container, _), *others) = changes.items()
    for name, text, before in filled_in(values, "env"):
        if name == container and not others:
            asked = wanted(text, before)
            now = {one["name"] for one in _env(container_of(target, name))}
            words = [f"{variable}={value}" for variable, value in asked.values.items()]
            words += [f"{variable}-" for variable in sorted(asked.remove & now)]
            if not any(word.startswith("-") for word in words):
                return kubectl(["set", "env"], target.kind, target.key, "-c", container, *words)
    return None


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    found = changed(targets, values, _changes)
    said = []
    for target, changes in found:
        said += about(targets, target, list(_cut_off(target, changes)))
    return [*said, *await replacements(cluster, targets, [target for target, _ in found])]


def _cut_off(target: Target, changes: Changes) -> Iterator[Said]:
    """The variables that no longer come from where they came from."""
    for name, change in changes.items():
        touched = {one["name"] for one in change["env"] or ()} if change.get("env") else None
        for one in _env(container_of(target, name)):
            if one.get("valueFrom") and (touched is None or one["name"] in touched):
                text = f"{name}: {one['name']} no longer comes from {source(one['valueFrom'])}."
                yield Said(text, Tone.WARNING)


SET_ENV = Action(
    id="set-env",
    key="v",
    title="Set env",
    help="Set the environment variables of the containers.",
    offers=lambda kind: Trait.TEMPLATED in kind.traits,
    access=(Access("patch"),),
    form=_form,
    plan=_plan,
    weigh=_weigh,
    follow=follow_template,
    done="Environment set",
)
