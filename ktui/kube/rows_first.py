"""Rows first: how a list that is too large for whole objects is read, and which lists are.

A pod is 7 to 11 KB of JSON, and the row that the server prints of it 150 bytes. Measured with 50,000 pods on two cores
that the API server shared: whole objects in pages 5.3 s and 545 MB, rows 0.24 s and 7.5 MB; the server needs 0.1 ms for
a whole pod and 6 µs for a row. So a large list is read as server-side Tables without objects (`includeObject=None`),
and whole objects are asked for where somebody needs them (`Feed.want`); the watch brings them for what changes.

Such Tables name no namespaces, so they are asked for namespace by namespace. How the namespaces become known:

1. the user may list them: the common case;
2. else from the ServiceAccounts `default`, of which every namespace has one, where the user may list those. When the
   rows found are fewer than the first page's server said there are, this was not so;
3. else, and where namespaces are nearly as many as objects (a request costs as much as about a dozen whole pods), or
   the server knows no Tables, pages of whole objects are read after all, and only their cells are kept.

Every way ends at the version of the first page, from which the watch goes on: what was listed later comes once more, in
order, and so ends as it is. That page is asked for before the namespaces, so that a namespace made in between brings
its objects by the watch.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from ktui.kinds.names import GVR
from ktui.kube.client import Client
from ktui.kube.errors import ApiError, Forbidden

WHOLE_BYTES = 20_000_000
"""Bytes of JSON up to which a list is read as whole objects: about 2,000 pods, or 6,000 deployments."""

ROWS = 2000
"""Rows in one answer: reading them keeps the event loop for some milliseconds."""

AT_ONCE = 8
"""Requests under way at the same time: as many as the server answers side by side; more of them only wait there."""

OBJECTS_A_REQUEST = 12
"""Whole objects that cost as much as one more request, for client and server together."""

METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"

_NAMESPACES, _SERVICE_ACCOUNTS = GVR("", "v1", "namespaces"), GVR("", "v1", "serviceaccounts")


class _Meta(msgspec.Struct, gc=False):
    name: str = ""
    namespace: str = ""


class _Named(msgspec.Struct, gc=False):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


class _Names(msgspec.Struct, gc=False):
    items: tuple[_Named, ...] = ()


class Namespaces(NamedTuple):
    """The namespaces to look into.

    Attributes:
        names: in order.
        certain: whether these are all.
    """

    names: tuple[str, ...]
    certain: bool


def too_large(size: int, count: int, remaining: int) -> bool:
    """Whether a list is too large for whole objects.

    Args:
        size: bytes of the first page.
        count: its objects.
        remaining: objects that follow.
    """
    return size / max(1, count) * (count + remaining) > WHOLE_BYTES


async def namespaces(client: Client) -> Namespaces | None:
    """All namespaces in which there may be anything, in the order of their names; None when the user may not know.

    Raises:
        KtuiError: they could be asked for, but the answer did not come.
    """
    try:
        listed: _Names = await client.get_json(_NAMESPACES.path(), _Names, accept=METADATA)
        return Namespaces(tuple(sorted(item.metadata.name for item in listed.items)), True)
    except Forbidden:
        pass
    try:
        query = {"fieldSelector": "metadata.name=default"}
        listed = await client.get_json(_SERVICE_ACCOUNTS.path(), _Names, query=query, accept=METADATA)
        return Namespaces(tuple(sorted(item.metadata.namespace for item in listed.items)), False)
    except ApiError:
        return None
