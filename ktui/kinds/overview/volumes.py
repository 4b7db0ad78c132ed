"""Volumes: where the files of a pod come from."""

from __future__ import annotations

from ktui.kinds.overview.section import Item, Section, items_at, scalar, table


def volume_sections(pod: Item) -> list[Section]:
    """The section Volumes of a pod or a template of pods."""
    return table("Volumes", ("NAME", "TYPE", "SOURCE"), [_row(volume) for volume in items_at(pod, "spec", "volumes")])


def _row(volume: Item) -> tuple[str, str, str]:
    kind = next((field for field in volume if field != "name"), "emptyDir")
    source = volume.get(kind)
    return scalar(volume.get("name")), kind, _source(kind, source if isinstance(source, dict) else {})


def _source(kind: str, source: Item) -> str:
    match kind:
        case "configMap":
            return _optional(scalar(source.get("name")), source)
        case "secret":
            return _optional(scalar(source.get("secretName")), source)
        case "persistentVolumeClaim":
            return scalar(source.get("claimName")) + (" (read-only)" if source.get("readOnly") else "")
        case "emptyDir":
            limit = f", at most {source['sizeLimit']}" if source.get("sizeLimit") else ""
            return f"{'in memory' if source.get('medium') == 'Memory' else 'on the node'}{limit}"
        case "hostPath":
            return scalar(source.get("path")) + (f" ({source['type']})" if source.get("type") else "")
        case "projected":
            return ", ".join(_projection(projection) for projection in items_at(source, "sources"))
        case "ephemeral":
            return "a claim made for the pod"
    # Whatever a driver wants to know, without nested objects (which may refer to secrets).
    return ", ".join(f"{key}={value}" for key, value in source.items() if isinstance(value, str | int | bool))


def _projection(projection: Item) -> str:
    kind = next(iter(projection), "")
    source = projection.get(kind)
    match kind:
        case "serviceAccountToken":
            return "service account token"
        case "downwardAPI":
            return "the pod's own fields"
        case "configMap" | "secret" if isinstance(source, dict):
            return _optional(f"{kind.lower()} {source.get('name')}", source)
    return kind


def _optional(text: str, source: Item) -> str:
    return f"{text} (optional)" if source.get("optional") else text
