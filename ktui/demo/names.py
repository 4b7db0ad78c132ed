"""Rules for names, labels and keys: k8s.io/apimachinery `util/validation`, with its wording."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ktui.demo.errors import Cause, bad_value, required

Object = dict[str, Any]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_NAME_PART})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_NAME_PART_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME_PART}')"
)
_QUALIFIED_RULE = (
    _NAME_PART_RULE.replace("name part", "a valid label key", 1)
    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
_LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'{_LABEL_VALUE}')"
)
_CONFIG_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    f"'key-name', regex used for validation is '{_CONFIG_KEY}')"
)
_LONGEST_LABEL, _LONGEST_SUBDOMAIN, _LONGEST_KEY = 63, 253, 253

# Kinds whose names are no RFC 1123 subdomains.
_LABEL_NAMED = ("namespaces", "services", "statefulsets.apps")
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_PATH_NAMED = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")


def metadata_causes(resource: str, metadata: Object) -> Iterator[Cause]:
    """What is wrong with an object's name, labels and annotations.

    Args:
        resource: its resource's key.
        metadata: its metadata.
    """
    name = metadata.get("name")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        for problem in name_problems(resource, name):
            yield bad_value("metadata.name", name, problem)
    yield from label_causes(metadata.get("labels"), "metadata.labels")
    yield from finalizer_causes(metadata)
    yield from annotation_causes(metadata)


def annotation_causes(metadata: Object) -> Iterator[Cause]:
    """What is wrong with an object's annotations."""
    for key in metadata.get("annotations") or {}:
        for problem in qualified_name_problems(key.lower()):
            yield bad_value("metadata.annotations", key, problem)


def finalizer_causes(metadata: Object) -> Iterator[Cause]:
    """What is wrong with an object's finalizers."""
    for index, name in enumerate(metadata.get("finalizers") or ()):
        field = f"metadata.finalizers[{index}]"
        for problem in qualified_name_problems(name):
            yield bad_value(field, name, problem)
        if "/" not in name and name not in _STANDARD_FINALIZERS:
            yield bad_value(field, name, "name is neither a standard finalizer name nor is it fully qualified")


def name_problems(resource: str, name: str) -> list[str]:
    """What is wrong with a resource's name."""
    plural = resource.partition(".")[0]
    if resource in _LABEL_NAMED:
        return label_problems(name)
    if plural in _PATH_NAMED:
        return [f"may not contain '{sign}'" for sign in "/%" if sign in name]
    return subdomain_problems(name)


def label_problems(text: str) -> list[str]:
    """What is wrong with an RFC 1123 label."""
    problems = []
    if len(text) > _LONGEST_LABEL:
        problems.append(f"must be no more than {_LONGEST_LABEL} characters")
    if not re.fullmatch(_LABEL, text):
        problems.append("must not contain dots" if re.fullmatch(_SUBDOMAIN, text) else _LABEL_RULE)
    return problems


def subdomain_problems(text: str, unit: str = "characters") -> list[str]:
    """What is wrong with an RFC 1123 subdomain, whose length is told in a unit."""
    problems = [] if re.fullmatch(_SUBDOMAIN, text) else [_SUBDOMAIN_RULE]
    if len(text) > _LONGEST_SUBDOMAIN:
        problems.insert(0, f"must be no more than {_LONGEST_SUBDOMAIN} {unit}")
    return problems


def label_causes(labels: Mapping[str, Any] | None, field: str) -> Iterator[Cause]:
    """What is wrong with a set of labels."""
    for key, value in sorted((labels or {}).items()):
        for problem in qualified_name_problems(key):
            yield bad_value(field, key, problem)
        for problem in label_value_problems(value):
            yield bad_value(field, value, problem)


def qualified_name_problems(key: str) -> list[str]:
    """What is wrong with the key of a label or annotation."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return [_QUALIFIED_RULE]
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif prefix:
        problems += [f"prefix part {problem}" for problem in subdomain_problems(prefix, unit="bytes")]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > _LONGEST_LABEL:
        problems.append(f"name part must be no more than {_LONGEST_LABEL} bytes")
    if not re.fullmatch(_NAME_PART, name):
        problems.append(_NAME_PART_RULE)
    return problems


def label_value_problems(value: str) -> list[str]:
    """What is wrong with a label's value."""
    problems = []
    if len(value) > _LONGEST_LABEL:
        problems.append(f"must be no more than {_LONGEST_LABEL} bytes")
    if not re.fullmatch(_LABEL_VALUE, value):
        problems.append(_LABEL_VALUE_RULE)
    return problems


def config_key_problems(key: str) -> list[str]:
    """What is wrong with a key of a ConfigMap or Secret."""
    problems = []
    if len(key) > _LONGEST_KEY:
        problems.append(f"must be no more than {_LONGEST_KEY} characters")
    if not re.fullmatch(_CONFIG_KEY, key):
        problems.append(_CONFIG_KEY_RULE)
    elif key in (".", ".."):
        problems.append(f"must not be '{key}'")
    elif key.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def port_name_problems(name: str) -> list[str]:
    """What is wrong with the name of a port."""
    problems = []
    if len(name) > 15:
        problems.append("must be no more than 15 characters")
    if not re.fullmatch("[-a-z0-9]+", name):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", name):
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems
