"""The doctor says what is wrong and what to do about it, and never a credential."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from ktui.cli.checks.cluster import clock_skew
from ktui.cli.checks.configuration import check_files, check_target
from ktui.cli.checks.finding import Finding
from ktui.cli.checks.terminal import check_terminal, check_tmux
from ktui.kinds.tone import Tone
from ktui.kube.kubeconfig import load_kubeconfig

# ruff: noqa: F401, F811 - pytest finds fixtures by their names
from tests.unit.command_line import Done, Shop, ktui, logging_kept, shop

CANARY = "canary-7f3a9c"
XTERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def kubeconfig(path: Path, user: dict[str, Any], **cluster: Any) -> Path:
    """Writes a kubeconfig with one context."""
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    return path


def certificate(ends: datetime) -> str:
    """A client certificate, as a kubeconfig has it."""
    import base64

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "u")])
    begins = ends - timedelta(days=30)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, ends)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return base64.b64encode(pem).decode()


def user_finding(path: Path) -> Finding:
    """What is said of the user of the current context."""
    (found,) = [found for found in check_target(load_kubeconfig([path]), None) if found.text.startswith("user")]
    return found


def test_cluster_that_can_be_used(shop: Shop, ktui: Callable[..., Done]) -> None:
    """On a cluster where everything is allowed, the doctor finds nothing that ktui could not work with."""
    done = ktui("doctor", "--kubeconfig", shop.kubeconfig)
    assert "✖" not in done.out.replace("✖ TERM", "")
    for part in ("context demo", "user", "token", "answers in", "pods: you may list and watch them everywhere"):
        assert part in done.out
    assert "metrics are served" in done.out
    assert "the server takes you for" in done.out


def test_user_without_rights_cannot_use_ktui(shop: Shop, ktui: Callable[..., Done]) -> None:
    """Who may see none of the four kinds is told so with a next step, and the exit code is 1."""
    done = ktui("doctor", "--kubeconfig", shop.kubeconfig, "--context", "demo-nobody")
    assert done.code == 1
    assert "✖ you may list none of these" in done.out
    assert "→ " in done.out.partition("✖")[2].splitlines()[1]


def test_rights_in_one_namespace_are_told(shop: Shop, ktui: Callable[..., Done]) -> None:
    """Who may see one namespace only is told which, and that is no failure."""
    done = ktui("doctor", "--kubeconfig", shop.kubeconfig, "--context", "demo-dev", "-n", "shop")
    assert "▲ pods: you may list and watch them in namespace shop only" in done.out
    assert "✖ you may" not in done.out


def test_no_credential_is_printed(shop: Shop, ktui: Callable[..., Done]) -> None:
    """No token of the kubeconfig is in what the doctor prints."""
    done = ktui("doctor", "--kubeconfig", shop.kubeconfig)
    for user in json.loads(shop.kubeconfig.read_text())["users"]:
        assert user["user"]["token"] not in done.out + done.err


def test_server_that_does_not_answer(ktui: Callable[..., Done], tmp_path: Path) -> None:
    """An unreachable server is told with its reason, the terminal is still looked at, and the exit code is 1."""
    done = ktui("doctor", "--kubeconfig", kubeconfig(tmp_path / "k", {"token": CANARY}))
    assert done.code == 1
    assert "✖ Cannot reach https://127.0.0.1:1: connection refused." in done.out
    assert "Terminal" in done.out
    assert CANARY not in done.out + done.err


def test_without_any_kubeconfig_the_demo_is_offered(ktui: Callable[..., Done]) -> None:
    """Who has no cluster learns about --demo."""
    done = ktui("doctor")
    assert done.code == 1
    assert "ktui --demo" in done.out


def test_files_are_told_one_by_one(tmp_path: Path) -> None:
    """Each file says what it defines; one that is missing, and one that others may read, are pointed out."""
    mine = kubeconfig(tmp_path / "mine", {"token": CANARY})
    open_to_all = kubeconfig(tmp_path / "open", {"token": CANARY})
    open_to_all.chmod(0o644)
    environ = {"KUBECONFIG": f"{mine}:{open_to_all}:{tmp_path / 'missing'}"}
    found = list(check_files(load_kubeconfig(environ=environ)))
    assert [finding.tone for finding in found] == [Tone.GOOD, Tone.WARNING, Tone.WARNING]
    assert "1 context, 1 cluster, 1 user" in found[0].text
    assert "chmod 600" in found[1].next_step


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"token": CANARY}, "token"),
        ({"tokenFile": "/t"}, "token file /t"),
        ({"username": "x", "password": CANARY}, "username and password"),
        ({"auth-provider": {"name": "oidc", "config": {"id-token": CANARY}}}, "sign-in provider oidc"),
        (
            {"exec": {"command": "sh", "args": [CANARY], "apiVersion": "client.authentication.k8s.io/v1"}},
            "exec plugin sh",
        ),
        ({}, "no credentials"),
    ],
)
def test_kind_of_user_is_told_without_the_credential(user: dict[str, Any], expected: str, tmp_path: Path) -> None:
    """How a user proves who asks is told, never with what."""
    found = user_finding(kubeconfig(tmp_path / "k", user))
    assert f": {expected}, from" in found.text
    assert CANARY not in str(found)


def test_missing_plugin_shows_its_install_hint(tmp_path: Path) -> None:
    """A plugin that is not installed is a failure, with the kubeconfig's own hint as the next step."""
    plugin = {
        "command": "no-such-plugin",
        "installHint": "Install it so.",
        "apiVersion": "client.authentication.k8s.io/v1",
    }
    found = user_finding(kubeconfig(tmp_path / "k", {"exec": plugin}))
    assert (found.tone, found.next_step) == (Tone.FAILED, "Install it so.")


@pytest.mark.parametrize(("days", "tone"), [(-1, Tone.FAILED), (3, Tone.WARNING), (300, Tone.GOOD)])
def test_end_of_a_client_certificate_is_told(days: int, tone: Tone, tmp_path: Path) -> None:
    """A certificate that has ended is a failure, one that soon ends is worth a word."""
    ends = datetime.now(UTC) + timedelta(days=days)
    found = user_finding(kubeconfig(tmp_path / "k", {"client-certificate-data": certificate(ends)}))
    assert found.tone is tone
    assert f"{ends:%Y-%m-%d}" in found.text


def test_unchecked_certificate_is_pointed_out(tmp_path: Path) -> None:
    """insecure-skip-tls-verify is no detail."""
    path = kubeconfig(tmp_path / "k", {"token": CANARY}, **{"insecure-skip-tls-verify": "true"})
    found = [found for found in check_target(load_kubeconfig([path]), None) if found.text.startswith("cluster")]
    assert [finding.tone for finding in found] == [Tone.WARNING]
    assert "not checked" in found[0].text


def test_proxy_is_told_without_its_password(tmp_path: Path) -> None:
    """The proxy on the way is named, without user and password."""
    path = kubeconfig(tmp_path / "k", {}, **{"proxy-url": f"http://me:{CANARY}@proxy.example:3128"})
    texts = [found.text for found in check_target(load_kubeconfig([path]), None)]
    assert any("through the proxy proxy.example:3128" in text for text in texts)
    assert CANARY not in "".join(texts)


@pytest.mark.parametrize(
    ("seconds", "tone"), [(0, Tone.GOOD), (3, Tone.GOOD), (-90, Tone.WARNING), (7200, Tone.WARNING)]
)
def test_clocks_are_compared(seconds: float, tone: Tone) -> None:
    """Clocks that differ by more than a few seconds are pointed out, with how much and in which direction."""
    now = time.time()
    found = clock_skew(formatdate(now - seconds, usegmt=True), now)
    assert found.tone is tone
    if tone is Tone.WARNING:
        assert ("ahead of" if seconds > 0 else "behind") in found.text


@pytest.mark.parametrize(
    ("environ", "tones"),
    [
        (XTERM, [Tone.GOOD, Tone.GOOD, Tone.GOOD]),
        ({"TERM": "xterm-256color"}, [Tone.GOOD, Tone.GOOD, Tone.GOOD]),
        ({"TERM": "linux"}, [Tone.GOOD, Tone.WARNING, Tone.GOOD]),
        ({"TERM": "dumb"}, [Tone.FAILED, Tone.WARNING, Tone.GOOD]),
        ({}, [Tone.FAILED, Tone.WARNING, Tone.GOOD]),
        ({**XTERM, "SSH_CONNECTION": "x", "STY": "1"}, [Tone.GOOD, Tone.GOOD, Tone.GOOD, Tone.GOOD, Tone.WARNING]),
    ],
)
def test_terminals_are_judged(environ: dict[str, str], tones: list[Tone]) -> None:
    """What the terminal can show is told by its variables; without TERM nothing can be drawn."""
    found = list(check_terminal(environ, size=os.terminal_size((160, 45)), encoding="utf-8"))
    assert [finding.tone for finding in found] == tones


def test_small_terminal_and_other_letters() -> None:
    """A terminal below 60x16 is worth a word; one without UTF-8 cannot show the glyphs."""
    small, _, letters = check_terminal(XTERM, size=os.terminal_size((40, 10)), encoding="latin-1")
    assert (small.tone, letters.tone) == (Tone.WARNING, Tone.FAILED)
    assert "LANG" in letters.next_step


def test_tmux_options_are_judged() -> None:
    """tmux passes copied texts on only with set-clipboard on, and Esc is fast only with a small escape-time."""
    fine = list(check_tmux({"set-clipboard": "on", "escape-time": "10"}.__getitem__))
    slow = list(check_tmux({"set-clipboard": "external", "escape-time": "500"}.__getitem__))
    assert [finding.tone for finding in fine] == [Tone.GOOD]
    assert [finding.tone for finding in slow] == [Tone.WARNING, Tone.WARNING]
    assert all(finding.next_step.startswith("tmux set ") for finding in slow)
