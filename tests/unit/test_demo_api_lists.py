"""The embedded cluster's lists: pages, versions, selectors, forms."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.demo_api import CONFIGMAPS, METADATA_LIST, PODS, TABLE, Cluster, configmap, pod, running


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        yield started


def fill(cluster: Cluster, count: int) -> None:
    for index in range(count):
        cluster.storage.create("configmaps", configmap(f"c{index:02}", parity="odd" if index % 2 else "even"))


async def test_pages_together_are_the_list(cluster: Cluster) -> None:
    """Following continue tokens gives every object once, in order, all pages at the first page's version."""
    fill(cluster, 7)
    names, versions, remaining, path = [], set(), [], f"{CONFIGMAPS}?limit=3"
    while path:
        page = await cluster.get(path)
        metadata = page.json["metadata"]
        names += page.names
        versions.add(metadata["resourceVersion"])
        remaining.append(metadata.get("remainingItemCount"))
        token = metadata.get("continue")
        path = f"{CONFIGMAPS}?limit=3&continue={token}" if token else ""
        cluster.storage.create("configmaps", configmap(f"late-{len(names)}"))
    assert names == [f"c{index:02}" for index in range(7)]
    assert len(versions) == 1
    assert remaining == [4, 1, None]


async def test_a_page_shows_what_was_there_at_its_version(cluster: Cluster) -> None:
    """Objects changed or removed between two pages appear as they were at the first page's version."""
    fill(cluster, 4)
    token = (await cluster.get(f"{CONFIGMAPS}?limit=2")).json["metadata"]["continue"]
    cluster.storage.delete("configmaps", "shop", "c03")
    changed = cluster.storage.get("configmaps", "shop", "c02")
    assert changed is not None
    cluster.storage.update("configmaps", {**changed, "data": {"a": "2"}})
    page = await cluster.get(f"{CONFIGMAPS}?limit=2&continue={token}")
    assert page.names == ["c02", "c03"]
    assert page.json["items"][0]["data"] == {"a": "1"}


async def test_an_expired_token_is_answered_with_410_and_a_token_to_go_on(cluster: Cluster) -> None:
    """After history is cut off a continue token is refused, and the token in the refusal lists the rest."""
    fill(cluster, 4)
    token = (await cluster.get(f"{CONFIGMAPS}?limit=3")).json["metadata"]["continue"]
    cluster.server.faults.expire()
    refused = await cluster.get(f"{CONFIGMAPS}?limit=3&continue={token}")
    assert (refused.status, refused.json["reason"]) == (410, "Expired")
    assert refused.message.startswith("The provided continue parameter is too old to display a consistent list")
    rest = await cluster.get(f"{CONFIGMAPS}?continue={refused.json['metadata']['continue']}")
    assert rest.names == ["c03"]


async def test_selected_pages_tell_no_remaining_count(cluster: Cluster) -> None:
    """With a selector pages hold only what matches, and remainingItemCount is left out."""
    fill(cluster, 8)
    page = await cluster.get(f"{CONFIGMAPS}?limit=3&labelSelector=parity%3Dodd")
    assert page.names == ["c01", "c03", "c05"]
    assert "continue" in page.json["metadata"]
    assert "remainingItemCount" not in page.json["metadata"]


async def test_a_version_from_the_future_is_too_large(cluster: Cluster) -> None:
    """A list at a version that does not exist yet is answered with 504 and when to try again."""
    answer = await cluster.get(f"{PODS}?resourceVersion=99999999")
    assert answer.status == 504
    assert answer.message == f"Timeout: Too large resource version: 99999999, current: {cluster.storage.version}"
    assert answer.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("limit=abc", 400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
        (
            "resourceVersion=abc",
            400,
            'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": '
            "invalid syntax",
        ),
        (
            "resourceVersionMatch=Exact",
            422,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden '
            "unless resourceVersion is provided",
        ),
        (
            "sendInitialEvents=true",
            422,
            'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for '
            "list",
        ),
        (
            "continue=zzz",
            400,
            "invalid continue token: continue key is not valid: invalid character '\u00cf' looking for beginning of "
            "value",
        ),
        ("labelSelector=a%3D%3D%3Db", 400, "unable to parse requirement: found '=', expected: identifier"),
        ("fieldSelector=spec.foo%3Db", 400, "field label not supported: spec.foo"),
    ],
)
async def test_wrong_queries_are_refused_as_a_real_server_does(
    cluster: Cluster, query: str, status: int, message: str
) -> None:
    """Each wrong query has the status and words of a real API server."""
    answer = await cluster.get(f"{PODS}?{query}")
    assert (answer.status, answer.message) == (status, message)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app", ["a", "b"]),
        ("!app", ["c"]),
        ("app=web", ["a"]),
        ("app!=web", ["b", "c"]),
        ("app in (web, db)", ["a", "b"]),
        ("app notin (web)", ["b", "c"]),
        ("size>3", ["b"]),
        ("app=web,size<3", ["a"]),
    ],
)
async def test_label_selectors(cluster: Cluster, selector: str, names: list[str]) -> None:
    """Every form of label selector selects what Kubernetes says it does."""
    cluster.storage.create("configmaps", configmap("a", app="web", size="2"))
    cluster.storage.create("configmaps", configmap("b", app="db", size="5"))
    cluster.storage.create("configmaps", configmap("c"))
    from urllib.parse import quote

    assert (await cluster.get(f"{CONFIGMAPS}?labelSelector={quote(selector)}")).names == names


async def test_field_selectors_read_status_and_spec(cluster: Cluster) -> None:
    """Pods can be selected by phase and by node, and by what they are not."""
    cluster.storage.create("pods", pod("a", phase="Running"))
    cluster.storage.create("pods", pod("b", phase="Pending"))
    assert (await cluster.get(f"{PODS}?fieldSelector=status.phase%3DRunning")).names == ["a"]
    assert (await cluster.get(f"{PODS}?fieldSelector=spec.nodeName%3Dworker-0,status.phase!%3DRunning")).names == ["b"]


async def test_items_of_built_in_lists_do_not_repeat_their_kind(cluster: Cluster) -> None:
    """A list names its kind once; its items do not."""
    fill(cluster, 1)
    listing = (await cluster.get(CONFIGMAPS)).json
    assert (listing["kind"], listing["apiVersion"]) == ("ConfigMapList", "v1")
    assert not {"kind", "apiVersion"} & set(listing["items"][0])


@pytest.mark.parametrize("include", ["None", "Metadata", "Object"])
async def test_table_rows_carry_as_much_as_asked_for(cluster: Cluster, include: str) -> None:
    """includeObject decides whether a row carries nothing, metadata, or the object."""
    cluster.storage.create("pods", pod("a", phase="Running"))
    cluster.clock.advance(65)
    table = (await cluster.get(f"{PODS}?includeObject={include}", accept=TABLE)).json
    row = table["rows"][0]
    assert [column["name"] for column in table["columnDefinitions"]][:3] == ["Name", "Ready", "Status"]
    assert row["cells"] == ["a", "0/1", "Running", "0", "65s", "<none>", "worker-0", "<none>", "<none>"]
    carried = row["object"]
    assert {
        "None": carried is None,
        "Metadata": carried and "spec" not in carried,
        "Object": carried and "spec" in carried,
    }[include]


async def test_metadata_alone(cluster: Cluster) -> None:
    """A list of metadata has nothing else in it."""
    fill(cluster, 1)
    listing = (await cluster.get(CONFIGMAPS, accept=METADATA_LIST)).json
    assert listing["kind"] == "PartialObjectMetadataList"
    assert set(listing["items"][0]) == {"kind", "apiVersion", "metadata"}


async def test_an_unknown_form_is_not_acceptable(cluster: Cluster) -> None:
    """An Accept header without anything the server has is answered with 406."""
    answer = await cluster.get(PODS, accept="text/html")
    assert (answer.status, answer.json["reason"]) == (406, "NotAcceptable")


async def test_requests_are_counted_by_verb_and_path(cluster: Cluster) -> None:
    """The server counts what was asked for, so that tests can keep to a budget of requests."""
    await cluster.get(f"{PODS}?limit=5")
    await cluster.get(f"{PODS}?limit=5")
    await cluster.get(f"{PODS}/a")
    assert cluster.server.requests == {("list", f"{PODS}?limit=5"): 2, ("get", f"{PODS}/a"): 1}
