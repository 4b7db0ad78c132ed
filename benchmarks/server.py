"""The API server as a process of this machine, where it is one."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import psutil


def server_process(server: str) -> psutil.Process | None:
    """The process that listens where the API server is; None when that is elsewhere, or may not be looked at.

    Args:
        server: the API server's URL.
    """
    address = urlsplit(server)
    if not _is_here(address.hostname or ""):
        return None
    try:
        listening = [
            found.pid
            for found in psutil.net_connections("tcp")
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == (address.port or 443)
        ]
    except psutil.AccessDenied:
        return None
    return next((psutil.Process(pid) for pid in listening if pid is not None), None)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
