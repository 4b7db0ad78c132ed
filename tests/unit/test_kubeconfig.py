"""The kubeconfig is read as kubectl reads it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from ktui.kube.errors import ConfigError
from ktui.kube.kubeconfig import Kubeconfig, load_kubeconfig
from ktui.kube.kubeconfig_files import kubeconfig_paths

CANARY = "canary-5f2c9e"


def write(path: Path, **document: Any) -> Path:
    """Write a kubeconfig file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def context(name: str, cluster: str = "c", user: str = "u", **more: str) -> dict[str, Any]:
    """A context entry."""
    return {"name": name, "context": {"cluster": cluster, "user": user, **more}}


def cluster(name: str = "c", /, **settings: Any) -> dict[str, Any]:
    """A cluster entry."""
    return {"name": name, "cluster": {"server": f"https://{name}:6443", **settings}}


def user(name: str = "u", /, **settings: Any) -> dict[str, Any]:
    """A user entry."""
    return {"name": name, "user": settings}


def loaded(tmp_path: Path, **document: Any) -> Kubeconfig:
    """A single file, read."""
    return load_kubeconfig([write(tmp_path / "config", **document)])


def test_first_current_context_wins(tmp_path: Path) -> None:
    """Of several files the first that sets a current context decides."""
    files = [
        write(tmp_path / "0", contexts=[context("none")]),
        write(tmp_path / "1", **{"current-context": "a"}),
        write(tmp_path / "2", **{"current-context": "b"}),
    ]
    assert load_kubeconfig(files).current == "a"


def test_first_entry_of_a_name_wins_as_a_whole(tmp_path: Path) -> None:
    """An entry of a later file adds nothing to an earlier one of the same name, and new names are added."""
    files = [
        write(tmp_path / "1", users=[user("red", token="one")]),
        write(tmp_path / "2", users=[user("red", token="two", username="r"), user("blue")]),
    ]
    users = load_kubeconfig(files).users
    assert (users["red"].token, users["red"].username, list(users)) == ("one", "", ["red", "blue"])


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "null\n"])
def test_empty_first_file_is_skipped(tmp_path: Path, content: str) -> None:
    """An empty file before a good one does not matter."""
    (empty := tmp_path / "empty").write_text(content)
    good = write(tmp_path / "good", **{"current-context": "a"}, contexts=[context("a")], clusters=None)
    assert load_kubeconfig([empty, good]).current == "a"


def test_missing_files_of_the_environment_are_skipped(tmp_path: Path) -> None:
    """A file named by KUBECONFIG need not exist."""
    good = write(tmp_path / "good", contexts=[context("a")])
    config = load_kubeconfig(environ={"KUBECONFIG": f"{tmp_path / 'gone'}:{good}:"})
    assert (list(config.contexts), config.files) == (["a"], (good,))


def test_missing_file_named_by_the_user_is_an_error(tmp_path: Path) -> None:
    """A file given on the command line must exist."""
    with pytest.raises(ConfigError, match="There is no kubeconfig"):
        load_kubeconfig([tmp_path / "gone"])


def test_default_path_without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without KUBECONFIG it is ~/.kube/config; an empty KUBECONFIG is none."""
    monkeypatch.setenv("HOME", "/home/jane")
    assert kubeconfig_paths({}) == kubeconfig_paths({"KUBECONFIG": ""}) == (Path("/home/jane/.kube/config"),)


def test_relative_paths_belong_to_the_file_that_names_them(tmp_path: Path) -> None:
    """Certificates, token files and plugins are found beside their own kubeconfig."""
    one = write(tmp_path / "one" / "config", clusters=[cluster(**{"certificate-authority": "ca.crt"})])
    two = write(
        tmp_path / "two" / "config",
        users=[
            user("file", tokenFile="t/token"),
            user("near", exec={"command": "./bin/plugin"}),
            user("path", exec={"command": "plugin"}),
        ],
    )
    config = load_kubeconfig([one, two])
    assert config.clusters["c"].authority == tmp_path / "one" / "ca.crt"
    assert config.users["file"].token_file == tmp_path / "two" / "t" / "token"
    near, path = config.users["near"].plugin, config.users["path"].plugin
    assert near is not None
    assert path is not None
    assert (Path(near.command), path.command) == (tmp_path / "two" / "bin" / "plugin", "plugin")


def test_data_goes_before_file(tmp_path: Path) -> None:
    """`-data` wins over the file of the same purpose."""
    data = base64.b64encode(b"pem").decode()
    config = loaded(tmp_path, clusters=[cluster(**{"certificate-authority": "x", "certificate-authority-data": data})])
    assert config.clusters["c"].authority == b"pem"


@pytest.mark.parametrize("written", ["0123", "1e3", "yes", "2026-01-02", "true", "12345678901234567890", "'null'"])
def test_scalars_stay_text(tmp_path: Path, written: str) -> None:
    """A token, name or namespace that looks like another YAML type is kept as it is written."""
    path = tmp_path / "config"
    path.write_text(f"users: [{{name: {written}, user: {{token: {written}}}}}]")
    text = written.strip("'")
    assert load_kubeconfig([path]).users[text].token == text


def test_target_has_context_cluster_and_user(tmp_path: Path) -> None:
    """The current context, or a named one, leads to its cluster and user."""
    config = loaded(
        tmp_path,
        **{"current-context": "a"},
        contexts=[context("a", namespace="shop"), context("b", cluster="d", user="")],
        clusters=[cluster(), cluster("d")],
        users=[user()],
    )
    assert (config.target().context.namespace, config.target().user.name) == ("shop", "u")
    named = config.target("b")
    assert (named.cluster.server, named.user.name, named.context.namespace) == ("https://d:6443", "", "default")


@pytest.mark.parametrize(
    ("document", "name", "sentence"),
    [
        ({}, None, "No context is defined"),
        ({"contexts": [context("a")]}, None, "no current context"),
        ({"contexts": [context("a")], "current-context": "gone"}, None, "no context 'gone'"),
        ({"contexts": [context("a")]}, "b", "no context 'b'"),
        ({"contexts": [context("a")], "users": [user()]}, "a", "names cluster 'c'"),
        ({"contexts": [context("a")], "clusters": [cluster()]}, "a", "names user 'u'"),
        ({"contexts": [context("a", user="")], "clusters": [cluster(server="")]}, "a", "no server address"),
    ],
)
def test_unusable_target_is_explained(tmp_path: Path, document: dict[str, Any], name: str, sentence: str) -> None:
    """A context that leads nowhere is one sentence and a next step."""
    with pytest.raises(ConfigError, match=sentence) as raised:
        loaded(tmp_path, **document).target(name)
    assert raised.value.next_step


@pytest.mark.parametrize(
    "content",
    [
        f"users: [{{name: u, user: {{token: {CANARY}}}",
        f"token: *{CANARY}",
        f"{CANARY}",
        f"[{CANARY}]",
        f"users: {CANARY}",
        f"users: [{CANARY}]",
        f"users: [{{name: u, user: {{token: [{CANARY}]}}}}]",
        f"users: [{{name: u, user: {{client-key-data: {CANARY}!}}}}]",
        f"users: [{{name: u, user: {{as-groups: {CANARY}}}}}]",
        f"users: [{{name: u, user: {{exec: {{env: {CANARY}}}}}}}]",
        f"users: [{{name: u, user: {{token: {CANARY}}}}}, {{name: u, user: {{}}}}]",
        f"clusters: [{{name: c, cluster: {{insecure-skip-tls-verify: {CANARY}}}}}]",
    ],
)
def test_errors_name_the_place_never_the_content(tmp_path: Path, content: str) -> None:
    """A file that cannot be read is named; nothing of what stands in it is quoted, in no cause either."""
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(ConfigError) as raised:
        load_kubeconfig([path])
    error: BaseException | None = raised.value
    assert str(path) in str(error)
    while error is not None:
        assert CANARY not in f"{error} {error!r} {getattr(error, 'next_step', '')}"
        error = error.__cause__ or error.__context__


def test_representation_hides_credentials(tmp_path: Path) -> None:
    """No repr of the value shows a credential."""
    data = base64.b64encode(CANARY.encode()).decode()
    config = loaded(
        tmp_path,
        **{"current-context": "a"},
        contexts=[context("a")],
        clusters=[cluster(**{"proxy-url": f"http://u:{CANARY}@p"})],
        users=[
            user(
                token=CANARY,
                password=CANARY,
                **{"client-key-data": data, "client-certificate-data": data},
                exec={"command": "x", "args": [CANARY], "env": [{"name": "A", "value": CANARY}]},
                **{"auth-provider": {"name": "oidc", "config": {"id-token": CANARY}}},
            )
        ],
    )
    assert CANARY not in repr(config)
    assert CANARY not in repr(config.target())


def test_nothing_is_written(tmp_path: Path) -> None:
    """Reading leaves the file as it was, byte by byte, comments included."""
    path = tmp_path / "config"
    path.write_text("# mine\ncurrent-context:   a\n")
    path.chmod(0o400)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    load_kubeconfig([path])
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_inside_a_pod_the_service_account_is_used(tmp_path: Path) -> None:
    """Without any kubeconfig, a pod connects as its service account, to its own cluster and namespace."""
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("pem")
    (tmp_path / "namespace").write_text("shop\n")
    environ = {"KUBECONFIG": "/nope", "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    target = load_kubeconfig(environ=environ, service_account=tmp_path).target()
    assert (target.cluster.server, target.context.namespace) == ("https://[fd00::1]:443", "shop")
    assert target.user.token_file == tmp_path / "token"


def test_kubeconfig_goes_before_service_account(tmp_path: Path) -> None:
    """In a pod with a kubeconfig, the kubeconfig is used."""
    (tmp_path / "token").write_text("t")
    path = write(tmp_path / "config", contexts=[context("mine")])
    environ = {"KUBECONFIG": str(path), "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert list(load_kubeconfig(environ=environ, service_account=tmp_path).contexts) == ["mine"]


def test_impersonation_needs_a_user(tmp_path: Path) -> None:
    """Groups without a user to impersonate are a mistake, as they are for kubectl."""
    with pytest.raises(ConfigError, match="without a user"):
        loaded(tmp_path, users=[user(**{"as-groups": ["g"]})])
