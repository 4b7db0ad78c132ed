"""Known namespaces: what the kubeconfig names, and what was typed before."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from ktui.kube.errors import ConfigError
from ktui.kube.known_namespaces import MOST, KnownNamespaces
from ktui.kube.kubeconfig import Kubeconfig, load_kubeconfig


def context(name: str, cluster: str, user: str, namespace: str = "") -> dict[str, Any]:
    return {"name": name, "context": {"cluster": cluster, "user": user, "namespace": namespace}}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Kubeconfig:
    document = {
        "current-context": "work",
        "contexts": [
            context("work", "a", "dev", "team-a"),
            context("other", "a", "dev", "team-b"),
            context("admin", "a", "root", "kube-system"),
            context("far", "b", "dev", "team-c"),
        ],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example.com"}} for name in "ab"],
        "users": [{"name": name, "user": {"token": "t"}} for name in ("dev", "root")],
    }
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(document))
    return load_kubeconfig((path,))


def test_contexts_of_the_same_cluster_and_user_name_namespaces(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    """The context's own namespace goes first; those of other users and clusters are not tried."""
    assert KnownNamespaces(kubeconfig, None, tmp_path / "n.json")() == ("team-a", "team-b")


def test_what_was_typed_is_remembered(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    """The namespaces typed last go first, once each, and another program finds them."""
    path = tmp_path / "state" / "n.json"
    known = KnownNamespaces(kubeconfig, None, path)
    known.remember(["x", "y"])
    known.remember(["z", "x"])
    assert KnownNamespaces(kubeconfig, None, path)() == ("z", "x", "y", "team-a", "team-b")


def test_others_do_not_see_them(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    """They are kept per cluster and user, in a file for the user alone."""
    path = tmp_path / "n.json"
    KnownNamespaces(kubeconfig, None, path).remember(["secret-project"])
    assert "secret-project" not in KnownNamespaces(kubeconfig, "far", path)()
    assert "secret-project" not in KnownNamespaces(kubeconfig, "admin", path)()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_list_is_bounded(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    """What was typed long ago is forgotten."""
    known = KnownNamespaces(kubeconfig, None, tmp_path / "n.json")
    for number in range(MOST + 5):
        known.remember([f"n{number}"])
    assert len(known()) == MOST + 2
    assert known()[0] == f"n{MOST + 4}"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"https://a.example.com dev": "abc"}', "\0", '{"x": {"y": 1}}'])
def test_a_damaged_file_costs_some_typing(content: str, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    """A file that cannot be read is as good as none, and is replaced."""
    path = tmp_path / "n.json"
    path.write_text(content)
    known = KnownNamespaces(kubeconfig, None, path)
    assert known() == ("team-a", "team-b")
    known.remember(["x"])
    assert known() == ("x", "team-a", "team-b")


def test_a_folder_that_cannot_be_written_is_told(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    """Where nothing can be kept, one sentence says so."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="could not be remembered"):
        KnownNamespaces(kubeconfig, None, tmp_path / "file" / "n.json").remember(["x"])
