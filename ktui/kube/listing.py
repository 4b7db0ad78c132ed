"""Listing: what a word means, and the objects of a kind, asked for once.

Screens look at feeds, which stay current; this is for those who want to know how things are now and then leave.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

from ktui.kinds.builtin import BUILTIN
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.names import GVR
from ktui.kube.client import Client
from ktui.kube.collector import collector_paused
from ktui.kube.discovery import Discovery, Resource, discover
from ktui.kube.errors import ConfigError, Expired
from ktui.kube.page import ListMeta

# Objects in one answer; kubectl asks for as many.
RAW_PAGE = 500
# Kinds that every server serves under these names, whatever else it serves: no need to ask.
_EVERYWHERE = ("", "apps")


class UnknownKind(ConfigError):  # noqa: N818 - named as those of errors.py
    """No kind, or more than one, goes by the word that was typed."""


class _RawList(msgspec.Struct, gc=False):
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[msgspec.Raw] | None = None


_decode_raw_list = msgspec.json.Decoder(_RawList).decode


def builtin_called(word: str) -> Kind | None:
    """The kind that `word` means on every server, such as `po`; None when the server has to be asked."""
    word = word.lower()
    for kind in BUILTIN.values():
        if kind.gvr.group in _EVERYWHERE and word in (
            kind.gvr.resource,
            kind.gvr.qualified,
            kind.singular,
            *kind.short,
        ):
            return kind
    return None


async def kind_called(word: str, client: Client) -> Kind:
    """The kind that `word` means to kubectl; as `kinds_called`, for a word that is no category.

    Raises:
        UnknownKind: the server serves none, or several with equal right.
        KtuiError: the server cannot be asked.
    """
    return builtin_called(word) or kind_in(await discover(client), word)


async def kinds_called(words: Iterable[str], client: Client) -> dict[str, list[Kind]]:
    """The kinds that each word means to kubectl: one, or those of a category such as `all`.

    Args:
        words: `pods`, `po`, `Pod`, `deployments.apps`, `deploy.v1.apps`, `all`; upper or lower case.
        client: whom to ask what is served, once, when one of them is none of the kinds that are served everywhere.

    Raises:
        UnknownKind: the server serves none, or several with equal right.
        KtuiError: the server cannot be asked.
    """
    found: dict[str, list[Kind]] = {}
    discovery: Discovery | None = None
    for word in words:
        if (kind := builtin_called(word)) is not None:
            found[word] = [kind]
            continue
        discovery = discovery or await discover(client)
        found[word] = [kind_of(resource) for resource in discovery.resources if _in_category(resource, word.lower())]
        if not found[word] or discovery.resolve(word):
            found[word] = [kind_in(discovery, word)]
    return found


def kind_in(discovery: Discovery, word: str) -> Kind:
    """The kind that `word` means, among those that a server serves.

    Kubernetes' own kinds go before others of the same name, as they do for kubectl.

    Raises:
        UnknownKind: there is none, or several with equal right.
    """
    found = discovery.resolve(word)
    if not found:
        raise UnknownKind(f"The server serves no kind {word!r} that can be listed.", _meant(discovery, word))
    chosen = [resource for resource in found if _own(resource.gvr)] or found
    if len(chosen) > 1 and not _own(chosen[0].gvr):
        names = " or ".join(resource.gvr.qualified for resource in chosen)
        raise UnknownKind(f"{word!r} may be {names}.", "Write the one you mean in full.")
    return kind_of(chosen[0])


def kind_of(resource: Resource) -> Kind:
    """The kind of a resource: ktui's own value, or one that the server prints."""
    scalable = Trait.SCALABLE if "scale" in resource.subresources else Trait.NONE
    return BUILTIN.get(resource.gvr) or generic_kind(
        resource.gvr, resource.kind, resource.namespaced, resource.short, traits=scalable
    )


async def list_objects(
    client: Client, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = ""
) -> list[msgspec.Raw]:
    """All objects as the JSON the server sent, in its order; not decoded, so that many of them fit in memory.

    Args:
        client: whom to ask.
        gvr: the kind.
        namespace: empty for all namespaces and for cluster-scoped kinds.
        labels: a label selector.
        fields: a field selector.

    Raises:
        KtuiError: the list could not be completed.
    """
    selectors = {name: value for name, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}
    try:
        return await _raw_pages(client, gvr.path(namespace), {**selectors, "limit": str(RAW_PAGE)})
    except Expired:
        return await _raw_pages(client, gvr.path(namespace), selectors)


async def _raw_pages(client: Client, path: str, query: dict[str, str]) -> list[msgspec.Raw]:
    found: list[msgspec.Raw] = []
    token = ""
    while True:
        answer = await client.request("GET", path, query=query | ({"continue": token} if token else {}))
        with collector_paused():
            page = _decode_raw_list(answer.body)
        found += page.items or []
        token = page.metadata.continue_
        if not token:
            return found


def _in_category(resource: Resource, word: str) -> bool:
    return resource.listable and word in resource.categories


def _own(gvr: GVR) -> bool:
    """Whether a kind is one of Kubernetes itself: `pods`, `deployments.apps`, `ingresses.networking.k8s.io`."""
    return "." not in gvr.group or gvr.group.endswith(".k8s.io")


def _meant(discovery: Discovery, word: str) -> str:
    """What may have been meant instead of an unknown word."""
    names = {
        name: resource.gvr.resource
        for resource in discovery.resources
        if resource.listable
        for name in (resource.gvr.resource, resource.singular, *resource.short)
        if name
    }
    close = dict.fromkeys(names[name] for name in difflib.get_close_matches(word.lower(), names, n=3, cutoff=0.6))
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return "`kubectl api-resources` lists what the server serves."
