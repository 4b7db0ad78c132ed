"""Which proxy is used is decided as Go's programs decide it."""

from __future__ import annotations

import pytest

from ktui.kube.proxy import proxy_for

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("server", "environ", "proxy"),
    [
        ("https://c.example:6443", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://c.example:6443", {"https_proxy": PROXY}, PROXY),
        ("https://c.example:6443", {"HTTPS_PROXY": PROXY, "https_proxy": "http://other"}, PROXY),
        ("https://c.example:6443", {"HTTPS_PROXY": "proxy:3128"}, PROXY),
        ("https://c.example:6443", {"HTTP_PROXY": PROXY}, ""),
        ("https://c.example:6443", {}, ""),
        ("http://c.example", {"HTTP_PROXY": PROXY}, PROXY),
        ("https://localhost:6443", {"HTTPS_PROXY": PROXY}, ""),
        ("https://127.3.2.1:6443", {"HTTPS_PROXY": PROXY}, ""),
        ("https://[::1]:6443", {"HTTPS_PROXY": PROXY}, ""),
    ],
)
def test_environment(server: str, environ: dict[str, str], proxy: str) -> None:
    """The scheme's variable counts, upper case first; this machine itself is never behind a proxy."""
    assert proxy_for(server, "", environ) == proxy


@pytest.mark.parametrize(
    ("server", "exceptions", "direct"),
    [
        ("https://c.example", "c.example", True),
        ("https://a.c.example", "c.example", True),
        ("https://a.c.example", ".c.example", True),
        ("https://c.example", ".c.example", False),
        ("https://xc.example", "c.example", False),
        ("https://c.example", "*", True),
        ("https://a.example", "*.example", True),
        ("https://c.example:6443", "c.example:6443", True),
        ("https://c.example:6443", "c.example:443", False),
        ("https://c.example", "c.example:443", True),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3:6443", "10.1.2.3", True),
        ("https://10.1.2.3:6443", "10.1.2.3:6443", True),
        ("https://10.1.2.3:6443", "10.1.2.3:1", False),
        ("https://[fd00::7]:6443", "fd00::/8", True),
        ("https://[fd00::7]:6443", "fd00::7", True),
        ("https://[fd00::7]:6443", "[fd00::7]:6443", True),
        ("https://c.example", "other, C.EXAMPLE ,", True),
        ("https://c.example", "10.0.0.0/99,/", False),
        ("https://c.example", "", False),
    ],
)
def test_exceptions(server: str, exceptions: str, direct: bool) -> None:
    """NO_PROXY names hosts with their subdomains, domains, addresses and networks, with a port or without."""
    assert (proxy_for(server, "", {"HTTPS_PROXY": PROXY, "NO_PROXY": exceptions}) == "") is direct


def test_kubeconfig_goes_before_the_environment() -> None:
    """A cluster's own proxy-url is used whatever the environment says."""
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}
    assert proxy_for("https://c.example", "https://mine:1", environ) == "https://mine:1"
