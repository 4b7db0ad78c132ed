"""Namespaces, as the server prints them."""

from __future__ import annotations

from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR

NAMESPACES = generic_kind(GVR("", "v1", "namespaces"), "Namespace", namespaced=False, short=("ns",))
