"""What can be copied of an object."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path

import pytest

from ktui.actions.copy import LARGEST_CLIPBOARD, CopyText, copy_texts, kubectl_get, save
from ktui.actions.kubectl import resource_word
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS

POD = ObjectKey("shop", "web-1")


def test_the_kubectl_line_names_everything() -> None:
    """It works in any shell, whatever context and namespace are current there."""
    assert kubectl_get(PODS, POD, "demo") == "kubectl --context demo -n shop get pods web-1 -o yaml"


def test_the_kubectl_line_of_a_node_has_no_namespace() -> None:
    """Cluster-scoped objects have none."""
    assert kubectl_get(NODES, ObjectKey("", "cp-0"), "") == "kubectl get nodes cp-0 -o yaml"


@pytest.mark.parametrize("context", ["admin@prod", "it's", "$(reboot)", "a b", "arn:aws:eks:eu:1:cluster/x"])
def test_the_kubectl_line_is_quoted(context: str) -> None:
    """A context's name is one word to the shell, whatever it is."""
    assert shlex.split(kubectl_get(PODS, POD, context))[2] == context


@pytest.mark.parametrize(
    ("gvr", "word"),
    [
        (GVR("apps", "v1", "deployments"), "deployments"),
        (GVR("networking.k8s.io", "v1", "ingresses"), "ingresses"),
        (GVR("shop.example.com", "v1", "widgets"), "widgets.shop.example.com"),
        (GVR("metrics.k8s.io", "v1beta1", "pods"), "pods.metrics.k8s.io"),
    ],
)
def test_kinds_are_named_so_that_kubectl_finds_them(gvr: GVR, word: str) -> None:
    """Kubernetes' own kinds go by their plural; others need their group."""
    assert resource_word(gvr) == word


def test_there_is_no_namespace_to_copy_of_a_node() -> None:
    """The menu offers only what says something."""
    assert [text.key for text in copy_texts(NODES, ObjectKey("", "cp-0"), "", None)] == ["n", "y", "k"]


def test_what_terminals_would_drop_is_too_large() -> None:
    """The limit is in bytes, as terminals count, not in characters."""
    assert not CopyText("y", "YAML", "x" * LARGEST_CLIPBOARD).too_large
    assert CopyText("y", "YAML", "é" * (LARGEST_CLIPBOARD // 2 + 1)).too_large


def test_a_saved_manifest_is_private_and_overwrites_nothing(tmp_path: Path) -> None:
    """Every file is new, and nobody but its owner can read it."""
    first, second = save(tmp_path, PODS, POD, "one"), save(tmp_path, PODS, POD, "two")
    assert (first.name, second.name) == ("pod-shop-web-1.yaml", "pod-shop-web-1-2.yaml")
    assert first.read_text() == "one"
    assert stat.S_IMODE(second.stat().st_mode) == 0o600


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Names of some kinds may contain almost anything; a file's name may not."""
    kind = generic_kind(GVR("example.com", "v1", "gadgets"), "Gadget", False)
    assert save(tmp_path, kind, ObjectKey("", "../../etc:x"), "").parent == tmp_path
