"""Why a server cannot be reached, in a few words: from the exceptions of aiohttp, TLS and sockets.

The exceptions themselves are not passed on: some carry the request's headers, and with them the token.
"""

from __future__ import annotations

import errno
import ssl

import aiohttp

from ktui.kube.errors import ConnectionFailed

FAILURES = (aiohttp.ClientError, OSError, TimeoutError)
"""What a request may raise that means: no (complete) answer."""

# OpenSSL's X509_V_ERR codes.
_UNTRUSTED = {
    # Clusters' CAs all call themselves "kubernetes", so that a wrong one shows by its signature only.
    7: "certificate signed by unknown authority",
    9: "certificate not yet valid",
    10: "certificate expired",
    18: "certificate signed by unknown authority",
    19: "certificate signed by unknown authority",
    20: "certificate signed by unknown authority",
    21: "certificate signed by unknown authority",
    62: "hostname mismatch",
    64: "hostname mismatch",
}
_BY_ERRNO = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ETIMEDOUT: "timed out",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network unreachable",
    errno.EMFILE: "too many open files",
}


def connection_failed(server: str, error: BaseException) -> ConnectionFailed:
    """The exception to raise instead of `error`.

    Args:
        server: the server's URL.
        error: one of `FAILURES`.
    """
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return ConnectionFailed(server, f"its proxy: {reason_of(error.os_error)}", _PROXY)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return ConnectionFailed(server, f"its proxy answers {error.status}", _PROXY)
    return ConnectionFailed(server, reason_of(error))


def reason_of(error: BaseException | None) -> str:
    """A few words for a status line."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return reason_of(error.certificate_error)
        case ssl.SSLCertVerificationError():
            return _UNTRUSTED.get(error.verify_code, "certificate not trusted")
        case aiohttp.ClientConnectorDNSError():
            return "name not found"
        case aiohttp.ClientConnectorError():
            return reason_of(error.os_error)
        case ssl.SSLError():
            return _tls_reason(error)
        case TimeoutError():
            return "timed out"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "the connection broke off"
        case aiohttp.ClientResponseError():
            return "the answer is no HTTP"
        case OSError():
            return _BY_ERRNO.get(error.errno or 0, "the connection failed")
        case _:
            return "the connection failed"


def _tls_reason(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"):
        return "the server speaks plain HTTP"
    if "ALERT" in reason and ("CERT" in reason or "CA" in reason):
        return "client certificate refused"
    return "TLS failed"


_PROXY = "Check proxy-url in the kubeconfig, or HTTPS_PROXY and NO_PROXY in the environment."
