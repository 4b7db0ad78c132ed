"""What form of an answer the client accepts: the object, a Table, or its metadata alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ktui.demo.errors import StatusError

_META = "meta.k8s.io"
_JSON_RANGES = ("application/json", "application/*", "*/*")
_AVAILABLE = (
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch"
)


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an answer.

    Attributes:
        shape: "" for the object itself, "Table" or "PartialObjectMetadata".
        version: version of meta.k8s.io, "v1" or "v1beta1".
    """

    shape: str = ""
    version: str = "v1"

    @property
    def content_type(self) -> str:
        """What the Content-Type header says; it does not repeat the shape."""
        return "application/json"


PLAIN = Form()


@lru_cache(maxsize=128)
def negotiate(accept: str, *, listing: bool) -> Form:
    """Picks the first form of an Accept header that can be served.

    Args:
        accept: the header, perhaps "".
        listing: whether a list is asked for: only then PartialObjectMetadataList fits, else PartialObjectMetadata.

    Raises:
        StatusError: 406 when nothing fits.
    """
    if not accept:
        return PLAIN
    for clause in accept.split(","):
        media, _, rest = clause.strip().partition(";")
        if media not in _JSON_RANGES:
            continue
        parameters = dict(part.strip().partition("=")[::2] for part in rest.split(";") if part)
        shape = parameters.get("as", "")
        if not shape:
            if parameters.get("stream", "watch") == "watch":
                return PLAIN
            continue
        if parameters.get("g") != _META or parameters.get("v") not in ("v1", "v1beta1"):
            continue
        if shape == "Table":
            return Form("Table", parameters["v"])
        if shape == ("PartialObjectMetadataList" if listing else "PartialObjectMetadata"):
            return Form("PartialObjectMetadata", parameters["v"])
    raise not_acceptable()


def not_acceptable() -> StatusError:
    """406: none of the accepted forms can be served."""
    message = f"406: Not Acceptable\n\nAvailable representations: {_AVAILABLE}"
    return StatusError(406, "NotAcceptable", message, {})
