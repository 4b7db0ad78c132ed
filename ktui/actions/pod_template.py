"""Pod templates: the containers that an object has or makes, and patches of some of them, as `kubectl set` sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ktui.actions.action import STRATEGIC_PATCH, JsonObject, Refusal, Step, Target, Undone, Write
from ktui.actions.form import Field, TextField, Values
from ktui.actions.kubectl import kubectl
from ktui.kinds.kind import Kind, Trait

LISTS = ("containers", "initContainers")

BEFORE = "before"

Changes = dict[str, JsonObject]
"""By the name of a container, the patch of its fields."""


class Container(NamedTuple):
    """A container of a pod template.

    Attributes:
        list: where it stands, `containers` or `initContainers`; names are unique across both.
        name: its name.
        spec: itself.
    """

    list: str
    name: str
    spec: JsonObject

    @property
    def label(self) -> str:
        """What a form calls it."""
        return f"{self.name} (init)" if self.list == "initContainers" else self.name


def pod_spec_path(kind: Kind) -> tuple[str, ...]:
    """Where objects of a kind have the spec of pods: a pod is its own, a CronJob has it in the template of its jobs."""
    if Trait.EVICTABLE in kind.traits:
        return ("spec",)
    if Trait.RUNNABLE in kind.traits:
        return ("spec", "jobTemplate", "spec", "template", "spec")
    return ("spec", "template", "spec")


def pod_spec(target: Target) -> JsonObject:
    """The spec of the pods that an object makes, or of a pod."""
    found: Any = target.live
    for part in pod_spec_path(target.kind):
        found = found.get(part) or {}
    return dict(found)


def containers(target: Target) -> list[Container]:
    """The containers, then the init containers."""
    spec = pod_spec(target)
    return [Container(name, found["name"], found) for name in LISTS for found in spec.get(name) or ()]


def all_containers(targets: Sequence[Target]) -> list[tuple[Container, list[Container]]]:
    """The containers of several objects, by name: the first, and all of that name."""
    found: dict[str, list[Container]] = {}
    for container in (one for target in targets if target.item is not None for one in containers(target)):
        found.setdefault(container.name, []).append(container)
    return [(same[0], same) for same in found.values()]


def remembered(fields: Sequence[Field]) -> Field:
    """A hidden field that keeps how the others began, so that a plan changes what the person changed, and nothing else.

    Meanwhile somebody else may have changed another container.
    """
    text = json.dumps({field.name: field.start for field in fields})
    return TextField(name=BEFORE, label="Before", text=text, shown=lambda _: False)


def filled_in(values: Values, prefix: str) -> Iterator[tuple[str, str, str]]:
    """The fields called `<prefix> <container>` that were changed: the container, the text, and what it was before."""
    before = json.loads(values.get(BEFORE) or "{}")
    for name, text in values.items():
        if name.startswith(f"{prefix} ") and text != before.get(name, ""):
            yield name.removeprefix(f"{prefix} "), str(text), str(before.get(name, ""))


def changed(
    targets: Sequence[Target], values: Values, changes: Callable[[Target, Values], Changes]
) -> list[tuple[Target, Changes]]:
    """The objects that are changed, and how; those for which it is refused are left out."""
    found = []
    for target in targets:
        try:
            if mine := changes(target, values):
                found.append((target, mine))
        except Refusal:
            continue
    return found


def container_of(target: Target, name: str) -> Container:
    """The container of a name.

    Raises:
        Refusal: there is none.
    """
    for container in containers(target):
        if container.name == name:
            return container
    raise Refusal(f'unable to find container named "{name}"', "Only objects that have it can have it changed.")


def patch_containers(target: Target, changes: Mapping[str, JsonObject]) -> JsonObject:
    """The strategic merge patch that changes fields of some containers, in the order in which they stand.

    Source: what `kubectl set image -v=9` sends; https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/

    Args:
        target: what is patched.
        changes: what is changed of them.
    """
    patch: JsonObject = {}
    found = containers(target)
    for name in LISTS:
        changed = [one for one in found if one.list == name and one.name in changes]
        if changed:
            patch[f"$setElementOrder/{name}"] = [{"name": one.name} for one in found if one.list == name]
            patch[name] = [{"name": one.name, **changes[one.name]} for one in changed]
    for part in reversed(pod_spec_path(target.kind)):
        patch = {part: patch}
    return patch


def patch_step(target: Target, changes: Mapping[str, JsonObject], line: tuple[str, ...] | None) -> Step:
    """The step that changes fields of some containers, all at once, so that pods are replaced once.

    Args:
        target: what is patched.
        changes: as for `patch_containers`.
        line: the kubectl line that does it; None where it would need several `kubectl set`, or cannot be said that way.
    """
    patch = patch_containers(target, changes)
    text = msgspec.json.encode(patch).decode()
    return Step(
        target=target,
        write=Write("PATCH", target.kind.gvr.path(*target.key), patch, STRATEGIC_PATCH),
        kubectl=line or kubectl(["patch"], target.kind, target.key, "--type=strategic", "-p", text),
        undone=Undone.PATCH,
    )
