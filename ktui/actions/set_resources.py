"""Set resources: how much CPU and memory each container requests, and may use at most.

Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ and
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_set/kubectl_set_resources/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

from ktui.actions.action import Access, Action, Cluster, JsonObject, Said, Step, Target
from ktui.actions.form import Form, TextField, Values
from ktui.actions.kubectl import kubectl
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
from ktui.actions.rollouts import follow_template, replacements
from ktui.kinds.kind import Trait
from ktui.kinds.quantity import quantity
from ktui.kinds.tone import Tone

SECTIONS, NAMES = ("requests", "limits"), ("cpu", "memory")

_WORDS = {"requests": "request", "limits": "limit"}
_EXAMPLES = {"cpu": "250m or 1.5", "memory": "64Mi or 1Gi"}

MEBIBYTE = 1 << 20


def wrong_quantity(text: str) -> str:
    """What is wrong with an amount, one sentence; empty when nothing is."""
    amount = quantity(text.strip())
    if amount is None:
        return "That is no quantity: write 250m, 1.5, 64Mi or 1Gi."
    return "" if amount >= 0 else "It must be greater than or equal to 0."


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    found = all_containers(targets)
    fields = [_field(container, same, *which) for container, same in found for which in product(SECTIONS, NAMES)]
    facts = []
    for container, _ in found:
        resources = container.spec.get("resources") or {}
        others = [
            f"{_WORDS[section]} {name} {amount}"
            for section in SECTIONS
            for name, amount in (resources.get(section) or {}).items()
            if name not in NAMES
        ]
        if others:
            facts.append(f"{container.label} keeps: {', '.join(others)}")
    return Form((*fields, remembered(fields)), tuple(facts))


def _field(container: Container, same: Sequence[Container], section: str, name: str) -> TextField:
    amounts = {_amount(one.spec, section, name) for one in same}
    alike = len(amounts) == 1
    return TextField(
        name=f"{section}.{name} {container.name}",
        label=f"{container.label} {name} {_WORDS[section]}",
        help=f"{_EXAMPLES[name]}; {'empty for none' if alike else 'empty leaves each as it is'}",
        text=amounts.pop() if alike else "",
        check=wrong_quantity,
        placeholder="none" if alike else "as it is",
    )


def _amount(spec: JsonObject, section: str, name: str) -> str:
    return str(((spec.get("resources") or {}).get(section) or {}).get(name, ""))


def _plan(target: Target, values: Values) -> Sequence[Step]:
    changes = _changes(target, values)
    return (patch_step(target, changes, _line(target, changes)),) if changes else ()


def _changes(target: Target, values: Values) -> Changes:
    changes: Changes = {}
    for section, name in product(SECTIONS, NAMES):
        for container, text, _ in filled_in(values, f"{section}.{name}"):
            now, wanted = _amount(container_of(target, container).spec, section, name), text.strip()
            if not _equal(now, wanted):
                resources = changes.setdefault(container, {"resources": {}})["resources"]
                resources.setdefault(section, {})[name] = wanted or None
    return changes


def _equal(one: str, other: str) -> bool:
    return one == other or (bool(one and other) and quantity(one) == quantity(other))


def _line(target: Target, changes: Changes) -> tuple[str, ...] | None:
    """The kubectl line for one container; what takes an amount away, `kubectl set resources` cannot say."""
    ((container, change), *others) = changes.items()
    sections = change["resources"]
    if others or any(amount is None for amounts in sections.values() for amount in amounts.values()):
        return None
    flags = [
        f"--{section}={','.join(f'{name}={amount}' for name, amount in sections[section].items())}"
        for section in ("limits", "requests")
        if section in sections
    ]
    return kubectl(["set", "resources"], target.kind, target.key, "-c", container, *flags)


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    found = changed(targets, values, _changes)
    # Several objects may well get the same, and it is wrong for all of them, or for none.
    cautions = dict.fromkeys(said for target, changes in found for said in _cautions(target, changes))
    return [*cautions, *await replacements(cluster, targets, [target for target, _ in found])]


def _cautions(target: Target, changes: Changes) -> Iterator[Said]:
    for container, change in changes.items():
        spec, new = container_of(target, container).spec, change["resources"]

        def amount(section: str, name: str, spec: JsonObject = spec, new: JsonObject = new) -> str:
            return str(new.get(section, {}).get(name, _amount(spec, section, name)) or "")

        for name in NAMES:
            request, limit = amount("requests", name), amount("limits", name)
            wanted, most = quantity(request), quantity(limit)
            if wanted is not None and most is not None and wanted > most:
                text = f"{container} requests {request} of {name}, more than its limit of {limit}: that is refused."
                yield Said(text, Tone.WARNING)
        yield from _small(container, amount)


def _small(container: str, amount: Callable[[str, str], str]) -> Iterator[Said]:
    for section in SECTIONS:
        memory = quantity(amount(section, "memory"))
        if memory is not None and 0 < memory < MEBIBYTE:
            text = f"{container}: {amount(section, 'memory')} of memory is less than 1 MiB; is its unit right?"
            yield Said(text, Tone.WARNING)


SET_RESOURCES = Action(
    id="set-resources",
    key="m",
    title="Set resources",
    help="Set how much CPU and memory the containers request, and may use at most.",
    offers=lambda kind: Trait.TEMPLATED in kind.traits,
    access=(Access("patch"),),
    form=_form,
    plan=_plan,
    weigh=_weigh,
    follow=follow_template,
    done="Resources set",
)
