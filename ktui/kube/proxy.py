"""Which proxy stands between this machine and a cluster.

The kubeconfig's `proxy-url` goes first; else the environment, as Go's programs read it (see httpproxy in
golang.org/x/net/http): HTTPS_PROXY or HTTP_PROXY by the server's scheme, NO_PROXY with hosts, domains, addresses and
networks, and never a proxy to this machine itself.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from ktui.kube.errors import ConfigError


def proxy_for(server: str, proxy_url: str, environ: Mapping[str, str] = os.environ) -> str:
    """The proxy's URL, possibly with its password; empty for none.

    Args:
        server: the API server's URL.
        proxy_url: what the kubeconfig says.
        environ: the process's environment.

    Raises:
        ConfigError: it is of a kind that ktui cannot use.
    """
    proxy = proxy_url or _from_environment(server, environ)
    if not proxy:
        return ""
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    scheme = urlsplit(proxy).scheme
    if scheme not in ("http", "https"):
        raise ConfigError(
            f"The cluster's proxy is a {scheme} proxy, which ktui cannot use.", "Use an http or https proxy instead."
        )
    return proxy


def _from_environment(server: str, environ: Mapping[str, str]) -> str:
    address = urlsplit(server)
    name = f"{address.scheme}_proxy"
    proxy = environ.get(name.upper()) or environ.get(name) or ""
    host, port = address.hostname or "", address.port or (443 if address.scheme == "https" else 80)
    if not proxy or _is_here(host):
        return ""
    exceptions = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if any(_excepted(host, port, item.strip().lower()) for item in exceptions.split(",")):
        return ""
    return proxy


def _excepted(host: str, port: int, item: str) -> bool:
    """Whether an item of NO_PROXY means this host and port."""
    if not item:
        return False
    if item == "*":
        return True
    address = _address(host)
    if "/" in item:
        try:
            return address is not None and address in ipaddress.ip_network(item, strict=False)
        except ValueError:
            return False
    if _address(item) is None:
        item, _, wanted = item.rpartition(":") if item.rpartition(":")[2].isdigit() else (item, "", "")
        if wanted and int(wanted) != port:
            return False
    if (single := _address(item.strip("[]"))) is not None:
        return address == single
    item = item.removeprefix("*")
    return host.endswith(item) if item.startswith(".") else host == item or host.endswith(f".{item}")


def _is_here(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
