"""YAML as sigs.k8s.io/yaml reads it: times and other texts stay texts."""

from __future__ import annotations

import re
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """PyYAML without timestamps: JSON has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}
# go-yaml reads the one-letter booleans of YAML 1.1, too, which PyYAML leaves alone.
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:y|Y)$"), list("yY"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:n|N)$"), list("nN"))
_Loader.bool_values = {**_Base.bool_values, "y": True, "n": False}


def read_yaml(body: bytes) -> Any:
    """Reads one YAML document.

    Raises:
        ValueError: it is no YAML.
    """
    try:
        return yaml.load(body, _Loader)  # a safe loader with other resolvers
    except yaml.YAMLError as problem:
        raise ValueError(str(problem)) from None
