"""Call: what is asked of a server, whoever asks and over whichever line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

# Left as they are in a path. Names of objects may have any character but / and %: a `?` or a space, too.
_PATH_SAFE = "/:@!$&'()*+,;=~"

Query = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Call:
    """A request without its credentials.

    Attributes:
        path: as people write it; `url` encodes it.
        query: the parameters; pairs where one is repeated.
        idle: seconds for which the answer may pause.
        encoding: how the answer's body may be packed.
    """

    method: str
    path: str
    query: Query | None
    accept: str
    body: bytes | None
    content_type: str
    idle: float
    encoding: str

    def url(self, server: str) -> str:
        """The whole URL, encoded."""
        pairs = self.query.items() if isinstance(self.query, Mapping) else self.query or ()
        asked = urlencode(list(pairs), quote_via=quote)
        return f"{server}{quote(self.path, safe=_PATH_SAFE)}{'?' if asked else ''}{asked}"
