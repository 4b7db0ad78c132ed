"""Manifests: whole objects as YAML text, to be read and to be copied.

The text is what `kubectl get -o yaml` prints, with the fields in the order of the API rather than of the alphabet, text
of several lines as blocks, and the values of secrets masked until somebody asks for them.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Mapping
from typing import Any

import yaml

try:
    from yaml import CSafeDumper as SafeDumper
except ImportError:  # PyYAML without libyaml writes the same, twenty times slower.
    from yaml import SafeDumper  # type: ignore[assignment]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MASK = "••••••••"

# ObjectMeta's fields in the order of its Go struct, which custom resources do not keep by themselves.
# Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
META_ORDER = (
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
)  # fmt: skip

_STRING = "tag:yaml.org,2002:str"
_BINARY_SUFFIX = re.compile(r"=*$")


def manifest(item: Mapping[str, Any], *, managed_fields: bool = False, secrets: bool = False) -> str:
    """An object as YAML text.

    Args:
        item: the whole object as decoded from JSON.
        managed_fields: False folds metadata.managedFields to a comment of one line.
        secrets: False masks the values of a Secret. True shows them decoded, as the `stringData` that would make them.
    """
    meta = {key: item["metadata"][key] for key in _ordered(item.get("metadata") or {}, META_ORDER)}
    owners = meta.pop("managedFields", None)
    rest = {key: value for key, value in item.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    if is_secret(item):
        meta, rest = _secret(meta, rest, shown=secrets)
    head = {key: item[key] for key in ("apiVersion", "kind") if key in item}
    if managed_fields and owners is not None:
        meta["managedFields"] = owners
    text = to_yaml({**head, "metadata": meta})
    if owners and not managed_fields:
        text += f"  # managedFields: {_folded(owners)}\n"
    if "status" in item:
        rest["status"] = item["status"]
    return text + (to_yaml(rest) if rest else "")


def is_secret(item: Mapping[str, Any]) -> bool:
    """Whether an object's values are to be hidden until asked for."""
    return item.get("kind") == "Secret" and item.get("apiVersion") == "v1"


def to_yaml(value: Any) -> str:
    """A JSON value as YAML that kubectl, and every reader of YAML 1.1 or 1.2, reads back as the same value.

    Args:
        value: dicts, lists, strings, numbers, booleans and None; of any depth.
    """
    stream = io.StringIO()
    dumper = _Dumper(stream, sort_keys=False, width=2**31 - 1, allow_unicode=True, default_flow_style=False)
    try:
        dumper.open()
        dumper.represent(value)
        dumper.close()
    finally:
        dumper.dispose()
    return stream.getvalue().translate(dumper.originals)


class _Dumper(SafeDumper):
    """Writes strings of several lines as blocks, and quotes whatever Go's reader would not take for a string.

    libyaml gives up on blocks with tabs in them (every nginx.conf) and escapes characters beyond U+FFFF (every emoji),
    so those are dumped as stand-ins from the private use area and put back afterwards. Private characters themselves
    get stand-ins too: what is put back is always what was there.
    """

    _NEEDS_STAND_IN = re.compile("[\ue000-\uf8ff\U00010000-\U0010ffff]")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.originals: dict[int, str] = {}
        self._stand_ins: dict[str, str] = {}

    def ignore_aliases(self, data: Any) -> bool:
        """JSON has no anchors; equal parts are written out."""
        return True

    def represent_text(self, text: str) -> Any:
        """A string as a scalar node."""
        block = "\n" in text
        if not text.isascii():
            text = self._NEEDS_STAND_IN.sub(lambda found: self._stand_in(found[0]), text)
        # A block that begins with a tab is read differently by different readers: that one stays quoted.
        if block and "\t" in text and not text.lstrip("\n").startswith("\t"):
            text = text.replace("\t", self._stand_in("\t"))
        # Double quotes where kubectl has them: around what would not be read as a string.
        quoted = not block and self.resolve(yaml.ScalarNode, text, (True, False)) != _STRING  # type: ignore[no-untyped-call]
        return self.represent_scalar(_STRING, text, style="|" if block else '"' if quoted else None)

    def _stand_in(self, char: str) -> str:
        if (stand_in := self._stand_ins.get(char)) is None:
            stand_in = self._stand_ins[char] = chr(0xE000 + len(self._stand_ins))
            self.originals[ord(stand_in)] = char
        return stand_in


_Dumper.add_representer(str, _Dumper.represent_text)
# Plain scalars that Go reads as numbers or booleans and PyYAML as strings: 1e3, 0o17, y. Strings like them are quoted.
_FLOAT = re.compile(r"^[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$")
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?0[oObBxX][0-9a-fA-F_]+$"), list("-+0"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))


def _ordered(found: Mapping[str, Any], order: tuple[str, ...]) -> list[str]:
    return [key for key in order if key in found] + [key for key in found if key not in order]


def _folded(owners: list[dict[str, Any]]) -> str:
    names = dict.fromkeys(str(owner.get("manager", "?")) for owner in owners)
    entries = "1 entry" if len(owners) == 1 else f"{len(owners)} entries"
    return f"{entries} folded ({', '.join(to_yaml(name).split(chr(10))[0] for name in names)})"


def _secret(meta: dict[str, Any], rest: dict[str, Any], *, shown: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    if shown:
        return meta, _decoded(rest)
    notes = meta.get("annotations")
    if isinstance(notes, dict) and LAST_APPLIED in notes:
        # kubectl apply keeps a copy of the whole secret there.
        meta["annotations"] = {**notes, LAST_APPLIED: f"{MASK} (repeats the secret)"}
    for field, size in (("data", _size), ("stringData", len)):
        if isinstance(values := rest.get(field), dict):
            rest[field] = {key: f"{MASK} ({size(value)} bytes)" for key, value in values.items()}
    return meta, rest


def _decoded(rest: dict[str, Any]) -> dict[str, Any]:
    """The fields of a secret with the values that are text as `stringData`; binary ones stay in `data`."""
    texts: dict[str, str] = {}
    binary: dict[str, Any] = {}
    for key, value in (rest.get("data") or {}).items():
        try:
            texts[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            binary[key] = value
    shown = {"data": binary, "stringData": {**texts, **(rest.get("stringData") or {})}}
    others = {key: value for key, value in rest.items() if key not in shown}
    return {**{key: values for key, values in shown.items() if values}, **others}


def _size(encoded: str) -> int:
    """How many bytes a base64 text stands for."""
    return len(encoded) * 3 // 4 - len(_BINARY_SUFFIX.search(encoded)[0])  # type: ignore[index]
