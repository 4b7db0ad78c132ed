"""Redaction: takes out of a text whatever looks like a credential, before it is written to a file.

The last line of defence: code that knows a credential never writes it. Here looks alone decide, and what may be a
credential is hidden, too.
"""

from __future__ import annotations

import re

HIDDEN = "[redacted]"

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# The same, as base64: `-----BEGIN` always begins so.
_ENCODED_PEM = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=\\]*")
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_SCHEME = re.compile(r"\b(Bearer|Basic|Negotiate)\s+[^\s'\",;}\]]+", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^\s/@'\"]*:[^\s/@'\"]*@")
_BOOTSTRAP = re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b")
_SECRET_WORD = (
    r"[\w-]{0,40}(?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|private[_-]?key|client[_-]?key|access[_-]?key"
    r"|authorization|credential|cookie)[\w-]{0,40}"
)
# `token: abc`, `"token": "abc"`, `TOKEN=abc`, `--token abc`: the word stays, what follows goes.
_NAMED = re.compile(
    rf"""((?:\b{_SECRET_WORD}['"]?\s*[:=]|--{_SECRET_WORD})\s*)"""
    rf"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;}})\]]+)""",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """`text` without bearer tokens, passwords, private keys and what is named like one.

    Args:
        text: any text of any length, several lines or one.
    """
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    text = _ENCODED_PEM.sub(HIDDEN, text)
    text = _JWT.sub(HIDDEN, text)
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    text = _PASSWORD_IN_URL.sub(f"{HIDDEN}@", text)
    text = _BOOTSTRAP.sub(HIDDEN, text)
    return _NAMED.sub(rf"\1{HIDDEN}", text)
