"""Which lists of built-in kinds are keyed: by what their entries are told apart when patches are merged.

Taken from the `patchMergeKey` and `listMapKeys` tags of k8s.io/api. A list without an entry here is replaced whole.
"""

from __future__ import annotations

from dataclasses import dataclass

# By the field's name and the field it stands in ("" = anywhere): the strategic merge key, then the keys of apply.
_LISTS: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("containers", ""): ("name", ("name",)),
    ("initContainers", ""): ("name", ("name",)),
    ("ephemeralContainers", ""): ("name", ("name",)),
    ("ports", "containers"): ("containerPort", ("containerPort", "protocol")),
    ("ports", "initContainers"): ("containerPort", ("containerPort", "protocol")),
    ("ports", "spec"): ("port", ("port", "protocol")),
    ("env", ""): ("name", ("name",)),
    ("volumes", ""): ("name", ("name",)),
    ("volumeMounts", ""): ("mountPath", ("mountPath",)),
    ("volumeDevices", ""): ("devicePath", ("devicePath",)),
    ("imagePullSecrets", ""): ("name", ("name",)),
    ("hostAliases", ""): ("ip", ("ip",)),
    ("topologySpreadConstraints", ""): ("topologyKey", ("topologyKey", "whenUnsatisfiable")),
    ("resourceClaims", ""): ("name", ("name",)),
    ("schedulingGates", ""): ("name", ("name",)),
    ("readinessGates", ""): ("", ()),
    ("conditions", "status"): ("type", ("type",)),
    ("addresses", "status"): ("type", ("type",)),
    ("podIPs", "status"): ("ip", ("ip",)),
    ("hostIPs", "status"): ("ip", ("ip",)),
    ("ownerReferences", "metadata"): ("uid", ("uid",)),
    ("taints", "spec"): ("key", ()),
    ("secrets", ""): ("name", ("name",)),
}
_SETS = {("finalizers", ""), ("podCIDRs", "spec"), ("accessModes", "")}
_DEFAULT_KEYS = {"protocol": "TCP"}

# Maps of which a strategic patch names the keys to keep, since only one of them may be set.
RETAINED = ("strategy", "volumes")


@dataclass(frozen=True, slots=True)
class ListKeys:
    """How a list is merged.

    Attributes:
        merge_key: the key of strategic merge patches; "" when the list is replaced.
        apply_keys: the keys of server-side apply; empty when the list is one value.
        is_set: whether it is a set of plain values.
    """

    merge_key: str = ""
    apply_keys: tuple[str, ...] = ()
    is_set: bool = False


_WHOLE = ListKeys()


def list_keys(field: str, parent: str) -> ListKeys:
    """How the list in a field is merged.

    Args:
        field: the field's name.
        parent: the name of the field it stands in (of the list, for a list's entries).
    """
    for where in (parent, ""):
        if (field, where) in _SETS:
            return ListKeys(is_set=True)
        if (field, where) in _LISTS:
            return ListKeys(*_LISTS[field, where])
    return _WHOLE


def entry_key(entry: object, keys: tuple[str, ...]) -> tuple[object, ...] | None:
    """An entry's key values, None when it lacks one."""
    if not isinstance(entry, dict):
        return None
    values = tuple(entry.get(key, _DEFAULT_KEYS.get(key)) for key in keys)
    return None if None in values else values
