"""The overview of a pod: what `kubectl describe pod` says."""

from __future__ import annotations

from typing import Any

import msgspec

from ktui.kinds.overview.containers import container_sections
from ktui.kinds.overview.metadata import about, conditions, labels
from ktui.kinds.overview.section import Item, Section, ago, at, items_at, lines, pairs_text, scalar
from ktui.kinds.overview.volumes import volume_sections
from ktui.kinds.pods import Pod, health, summary
from ktui.kinds.sentence import trouble


def pod_overview(item: Item, now: float) -> list[Section]:
    """The sections of a pod.

    Args:
        item: the whole Pod.
        now: epoch seconds.
    """
    return [
        _status(item, now),
        *conditions(item, now),
        *container_sections(item, now),
        *volume_sections(item),
        *scheduling(item),
        *labels(item),
    ]


def _status(item: Item, now: float) -> Section:
    pod = msgspec.convert(item, Pod)
    tone, short, spec, status = health(pod), summary(pod), at(item, "spec"), at(item, "status")
    node = at(spec, "nodeName")
    host = at(status, "hostIP")
    addresses = [scalar(address.get("ip")) for address in items_at(status, "podIPs")]
    return Section(
        "Pod",
        lines(
            [
                ("Status", short.status, tone),
                ("Why", trouble(pod), tone),
                ("Ready", f"{short.ready}/{short.total}"),
                ("Node", node and (f"{node} ({host})" if host else node)),
                ("Nominated node", at(status, "nominatedNodeName")),
                ("IP", ", ".join(addresses)),
                *about(item, now),
                ("Started", at(status, "startTime") and ago(at(status, "startTime"), now)),
                ("Service account", at(spec, "serviceAccountName")),
                ("QoS class", at(status, "qosClass")),
                ("Priority", _priority(spec)),
                ("Restart policy", at(spec, "restartPolicy")),
                (
                    "Grace period",
                    at(spec, "terminationGracePeriodSeconds") and f"{spec['terminationGracePeriodSeconds']}s",
                ),
                ("Host network", at(spec, "hostNetwork")),
                ("Runtime class", at(spec, "runtimeClassName")),
            ]
        ),
        tone=tone,
    )


def _priority(spec: Any) -> str | None:
    number, name = at(spec, "priority"), at(spec, "priorityClassName")
    if name:
        return f"{number} ({name})"
    return scalar(number) if number else None


def scheduling(pod: Item) -> list[Section]:
    """The section Scheduling of a pod or a template of pods: where it may run."""
    spec = at(pod, "spec")
    affinity = at(spec, "affinity")
    found = lines(
        [
            ("Node selector", pairs_text(at(spec, "nodeSelector"))),
            ("Affinity", [_words(kind) for kind in affinity] if isinstance(affinity, dict) else None),
            ("Tolerations", [_toleration(toleration) for toleration in items_at(spec, "tolerations")]),
            ("Spread", [_spread(constraint) for constraint in items_at(spec, "topologySpreadConstraints")]),
            ("Gates", [scalar(gate.get("name")) for gate in items_at(spec, "schedulingGates")]),
            ("Readiness gates", [scalar(gate.get("conditionType")) for gate in items_at(spec, "readinessGates")]),
        ]
    )
    return [Section("Scheduling", found)] if found else []


def _words(name: str) -> str:
    """`podAntiAffinity` as `pod anti affinity`."""
    return "".join(f" {char.lower()}" if char.isupper() else char for char in name)


def _toleration(toleration: Item) -> str:
    """`node.kubernetes.io/unreachable:NoExecute op=Exists for 300s`, as kubectl prints it."""
    key, value, effect = toleration.get("key", ""), toleration.get("value"), toleration.get("effect")
    text = f"{key}={value}" if value else str(key)
    if effect:
        text += f":{effect}"
    if toleration.get("operator") == "Exists" and not value:
        text = f"{text} op=Exists".strip()
    seconds = toleration.get("tolerationSeconds")
    return text if seconds is None else f"{text} for {seconds}s"


def _spread(constraint: Item) -> str:
    skew, otherwise = constraint.get("maxSkew"), constraint.get("whenUnsatisfiable")
    return f"over {constraint.get('topologyKey')}, at most {skew} apart, else {otherwise}"
