"""Taint: which pods a node keeps away, or sends away.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ and
k8s.io/kubectl/pkg/cmd/taint, whose rules and words these are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ktui.actions.action import (
    STRATEGIC_PATCH,
    Access,
    Action,
    Asks,
    Cluster,
    JsonObject,
    Refusal,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.cordon import offers
from ktui.actions.form import Form, SwitchField, TextField, Values
from ktui.actions.kubectl import kubectl
from ktui.actions.metadata_words import (
    OVERWRITE,
    WORDS,
    aggregate,
    live_objects,
    quoted,
    words_of,
)
from ktui.actions.names import label_key, label_value
from ktui.kinds.names import GVR_NODES, GVR_PODS
from ktui.kinds.tone import Tone
from ktui.kube.errors import KtuiError

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class Taint(NamedTuple):
    """A taint as it is asked for.

    Attributes:
        key: its key.
        value: its value, often empty.
        effect: one of EFFECTS; of a taint to remove it may be empty, for all of its key.
    """

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        value = f"={self.value}" if self.value else ""
        return f"{self.key}{value}:{self.effect}" if self.effect else f"{self.key}{value}"

    def matches(self, taint: JsonObject) -> bool:
        """Whether a node's taint is this one: key and effect make it, not its value."""
        return taint.get("key") == self.key and self.effect in ("", taint.get("effect"))

    def manifest(self) -> JsonObject:
        """As a node has it."""
        fields = {"effect": self.effect, "key": self.key, "value": self.value}
        return {name: text for name, text in fields.items() if text}


def parse_taints(words: Iterable[str]) -> tuple[list[Taint], list[Taint]]:
    """The taints to add and those to remove.

    Raises:
        Refusal: as kubectl words it.
    """
    added: list[Taint] = []
    removed: list[Taint] = []
    for word in words:
        if word.endswith("-"):
            removed.append(_parsed(word.removesuffix("-"))._replace(value=""))
            continue
        taint = _parsed(word)
        if not taint.effect:
            raise Refusal(f"invalid taint spec: {word}")
        if any((taint.key, taint.effect) == (other.key, other.effect) for other in added):
            same = f"{{{taint.key} {taint.value} {taint.effect} <nil>}}"
            raise Refusal(f"duplicated taints with the same key and effect: {same}")
        added.append(taint)
    both = [f"{gone.key}={gone.effect}" for new in added for gone in removed if gone.matches(new.manifest())]
    if both:
        what = "can not both modify and remove the following taint(s) in the same command"
        raise Refusal(f"{what}: {', '.join(both)}")
    return added, removed


def _parsed(word: str) -> Taint:
    before, colon, effect = word.partition(":")
    if not colon:
        key, value = word, ""
    else:
        if ":" in effect:
            raise Refusal(f"invalid taint spec: {word}")
        if effect not in EFFECTS:
            raise Refusal(f"invalid taint effect: {effect}, unsupported taint effect")
        key, _, value = before.partition("=")
        if "=" in value:
            raise Refusal(f"invalid taint spec: {word}")
        if wrong := label_value(value):
            raise Refusal(f"invalid taint spec: {word}, {wrong}")
    if wrong := label_key(key):
        raise Refusal(f"invalid taint spec: {word}, {wrong}")
    return Taint(key, value, effect)


def retainted(node: JsonObject, added: Sequence[Taint], removed: Sequence[Taint], overwrite: bool) -> list[JsonObject]:
    """The taints that a node is to have: the new ones first, then the old ones that are left, as kubectl orders them.

    Raises:
        Refusal: as kubectl words it.
    """
    before = _taints(node)
    name = node["metadata"]["name"]
    existing = [new.key for new in added for old in before if new.matches(old)]
    if existing and not overwrite:
        keys = ",".join(existing)
        raise Refusal(f"node {name} already has {keys} taint(s) with same effect(s) and --overwrite is false")
    after = [new.manifest() for new in added]
    after += [old for old in before if not any(new.matches(old) for new in added)]
    missing = []
    for gone in removed:
        left = [taint for taint in after if not gone.matches(taint)]
        if len(left) == len(after):
            missing.append(f"taint {quoted(str(gone))} not found")
        after = left
    if missing:
        raise Refusal(aggregate(missing))
    return after


def _taints(node: JsonObject) -> list[JsonObject]:
    return list((node.get("spec") or {}).get("taints") or ())


def _plan(target: Target, values: Values) -> Sequence[Step]:
    words = words_of(values[WORDS])
    added, removed = parse_taints(words)
    if not words:
        raise Refusal("at least one taint update is required")
    after = retainted(target.live, added, removed, values[OVERWRITE])
    if after == _taints(target.live):
        return ()
    write = Write("PATCH", GVR_NODES.path(name=target.key.name), {"spec": {"taints": after or None}}, STRATEGIC_PATCH)
    more = (*words, *(["--overwrite"] if values[OVERWRITE] else []))
    return (Step(target, write, kubectl(["taint"], target.kind, target.key, *more), undone=Undone.PATCH),)


def _wrong(text: str) -> str:
    try:
        parse_taints(words_of(text))
    except Refusal as refusal:
        return refusal.sentence
    return ""


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    text = TextField(
        name=WORDS,
        label="Taints",
        help="key=value:Effect adds, key:Effect- or key- removes; one a line",
        check=_wrong,
        required=True,
        lines=4,
        placeholder="dedicated=gpu:NoSchedule",
    )
    overwrite = SwitchField(name=OVERWRITE, label="Overwrite", help="whether taints that are there may change")
    try:
        nodes = await live_objects(cluster, targets)
    except KtuiError as error:
        return Form((text, overwrite), (f"The present taints cannot be read: {error.sentence}",))
    facts = []
    for node in nodes:
        known = (Taint(t.get("key", ""), t.get("value", ""), t.get("effect", "")) for t in _taints(node))
        facts.append(f"{node['metadata']['name']}: {', '.join(map(str, known)) or 'no taints'}")
    return Form((text, overwrite), tuple(facts))


# -- what becomes of the pods ----------------------------------------------------------------------


def tolerated(pod: JsonObject, taint: Taint) -> float | None:
    """For how many seconds a pod tolerates a taint: infinity for ever, None for not at all.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#concepts
    """
    found: float | None = None
    for toleration in (pod.get("spec") or {}).get("tolerations") or ():
        key, effect = toleration.get("key") or "", toleration.get("effect") or ""
        exists = toleration.get("operator") == "Exists"
        if effect not in ("", taint.effect) or (key != taint.key and not (exists and not key)):
            continue
        if not exists and (toleration.get("value") or "") != taint.value:
            continue
        seconds = toleration.get("tolerationSeconds")
        lasts = float("inf") if seconds is None else max(0.0, float(seconds))
        found = lasts if found is None else min(found, lasts)
    return found


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    try:
        added, _ = parse_taints(words_of(values[WORDS]))
    except Refusal:
        return ()
    said = []
    if any(taint.effect == "NoSchedule" for taint in added):
        said.append(Said("NoSchedule keeps new pods away; pods that run there stay."))
    if any(taint.effect == "PreferNoSchedule" for taint in added):
        said.append(Said("PreferNoSchedule is a wish: pods still come when there is no better node."))
    executed = [taint for taint in added if taint.effect == "NoExecute"]
    for target in targets if executed else ():
        said += await _sent_away(cluster, target.key.name, executed)
    return said


async def _sent_away(cluster: Cluster, node: str, taints: Sequence[Taint]) -> Sequence[Said]:
    try:
        pods = await cluster.objects(GVR_PODS, fields=f"spec.nodeName={node}")
    except KtuiError as error:
        return (Said(f"Which pods {node} sends away cannot be read: {error.sentence}", Tone.UNKNOWN),)
    at_once = later = 0
    for pod in pods:
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        lasts = [tolerated(pod, taint) for taint in taints]
        if None in lasts:
            at_once += 1
        elif min(seconds for seconds in lasts if seconds is not None) < float("inf"):
            later += 1
    if not at_once and not later:
        return (Said(f"All pods on {node} tolerate it.", Tone.GOOD),)
    said = [Said(f"{_pods(at_once)} on {node} will be deleted at once.", Tone.WARNING)] if at_once else []
    if later:
        said.append(
            Said(f"{_pods(later)} on {node} will be deleted when their time of toleration is over.", Tone.WARNING)
        )
    return (*said, Said("Disruption budgets do not protect pods from a taint.", Tone.WARNING))


def _pods(count: int) -> str:
    return f"{count:,} pod{'' if count == 1 else 's'}"


def _asks(targets: Sequence[Target], values: Values) -> Asks:
    try:
        added, _ = parse_taints(words_of(values[WORDS]))
    except Refusal:
        return Asks.NOTHING
    return Asks.CONFIRM if any(taint.effect == "NoExecute" for taint in added) else Asks.NOTHING


TAINT = Action(
    id="taint",
    key="t",
    title="Taint",
    help="Keep pods away from the node, or send them away, unless they tolerate it.",
    plan=_plan,
    offers=offers,
    access=(Access("patch"),),
    form=_form,
    weigh=_weigh,
    asks=_asks,
    done="Tainted",
)
