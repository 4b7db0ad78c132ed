"""`ktui get` prints what kubectl prints."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ktui.kube.kubeconfig import load_kubeconfig

# ruff: noqa: F401, F811 - pytest finds fixtures by their names
from tests.unit.command_line import Done, Shop, ktui, logging_kept, shop

Get = Callable[..., Done]
_AGE = re.compile(r"\b(?:\d+[smhdy]){1,2}\b")


@pytest.fixture
def get(ktui: Callable[..., Done], shop: Shop) -> Get:
    """Runs `ktui get` on the embedded cluster."""
    return lambda *words: ktui("get", "--kubeconfig", shop.kubeconfig, *words)


def served_table(shop: Shop, path: str) -> list[list[str]]:
    """The server's own Table of a collection, as kubectl would print it with -o wide, ages aside."""
    import asyncio

    from ktui.kube.client import Client

    async def ask() -> Any:
        client = await Client.connect(load_kubeconfig([shop.kubeconfig]))
        try:
            accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
            return json.loads((await client.request("GET", path, accept=accept)).body)
        finally:
            await client.close()

    table = asyncio.run(ask())
    header = ["NAMESPACE", *(column["name"].upper() for column in table["columnDefinitions"])]
    rows = [
        [
            row["object"]["metadata"].get("namespace", ""),
            *("" if cell is None else str(cell) for cell in row["cells"]),
        ]
        for row in table["rows"]
    ]
    return [[_AGE.sub("AGE", cell) for cell in line] for line in [header, *rows]]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("pods", "/api/v1/pods"),
        ("nodes", "/api/v1/nodes"),
        ("services", "/api/v1/services"),
        ("deployments", "/apis/apps/v1/deployments"),
        ("replicasets", "/apis/apps/v1/replicasets"),
        ("endpointslices", "/apis/discovery.k8s.io/v1/endpointslices"),
        ("ingresses", "/apis/networking.k8s.io/v1/ingresses"),
        ("widgets", "/apis/shop.example.com/v1/widgets"),
    ],
)
def test_cells_are_those_of_the_server(get: Get, shop: Shop, kind: str, path: str) -> None:
    """Every cell is what the server's Table says, which is what kubectl prints: for ktui's own kinds and for others."""
    expected = served_table(shop, path)
    if kind == "nodes":
        expected = [line[1:] for line in expected]
    done = get(kind, "-A", "-o", "csv")
    found = [[_AGE.sub("AGE", cell) for cell in line] for line in csv.reader(io.StringIO(done.out))]
    assert len(found) > 1
    assert found == expected


def test_columns_are_padded_as_kubectl_pads_them(get: Get) -> None:
    """Columns stand three spaces apart, the last one has no blanks behind it, and all lines agree."""
    lines = get("nodes").out.splitlines()
    starts = [match.start() for match in re.finditer(r"\S+", lines[0])]
    for line in lines:
        assert not line.endswith(" ")
        assert all(line[start] != " " and line[start - 3 : start].strip() == "" for start in starts[1:])
    assert any(line[start - 4] != " " for line in lines for start in starts[1:2])


def test_without_a_namespace_the_contexts_is_used(get: Get) -> None:
    """As for kubectl, and unlike the panes, one namespace is meant when none is named; an empty one is told."""
    done = get("pods", "--field-selector", "metadata.name=nowhere")
    assert (done.code, done.out) == (0, "")
    assert done.err == "No resources found in default namespace.\n"


def test_several_namespaces_have_their_column(get: Get) -> None:
    """`-n a,b` prints the objects of both, and of no other, with NAMESPACE first."""
    header, *rows = get("deployments", "-n", "shop,lesson").table
    assert header[0] == "NAMESPACE"
    assert {row[0] for row in rows} == {"shop", "lesson"}


@pytest.mark.parametrize("word", ["deploy", "Deployment", "deployments.apps", "deployments.v1.apps", "DEPLOYMENTS"])
def test_kinds_go_by_all_their_names(get: Get, word: str) -> None:
    """A kind is found by whatever kubectl would take for it."""
    assert get(word, "-n", "shop", "-o", "name").out == get("deployments", "-n", "shop", "-o", "name").out != ""


def test_unknown_kind_suggests_another(get: Get) -> None:
    """A misspelt kind fails with a sentence that offers what may have been meant."""
    done = get("ingresess")
    assert (done.code, done.out) == (1, "")
    assert "Did you mean ingresses" in done.err


def test_output_name_can_be_given_back(get: Get) -> None:
    """What -o name prints is understood as KIND/NAME."""
    names = get("deploy", "-n", "shop", "-o", "name").out.split()
    assert all(name.startswith("deployment.apps/") for name in names)
    again = get(*names, "-n", "shop", "-o", "name")
    assert again.out.split() == names


def test_missing_objects_are_told_and_others_printed(get: Get) -> None:
    """Of several names those that exist are printed, the others named on standard error, and the exit code is 1."""
    done = get("deploy", "storefront", "nothing", "-n", "shop", "--no-headers")
    assert [row[0] for row in done.table] == ["storefront"]
    assert 'deployments.apps "nothing" not found' in done.err
    assert done.code == 1


def test_several_kinds_are_told_apart(get: Get) -> None:
    """Tables of several kinds are separated by an empty line, and names say their kind."""
    done = get("deploy,svc", "-n", "shop")
    first, second = done.out.split("\n\n")
    assert "deployment.apps/storefront" in first
    assert "service/storefront" in second


def test_category_means_its_kinds(get: Get) -> None:
    """`all` means the kinds of that category, those without objects left out; it is too many to follow."""
    done = get("all", "-n", "shop", "-o", "name")
    kinds = {line.partition("/")[0] for line in done.out.split()}
    assert {"pod", "service", "deployment.apps", "replicaset.apps", "statefulset.apps"} <= kinds
    assert done.err == ""
    assert get("all", "-n", "shop", "-w").code == 2


def test_sort_by_orders_rows(get: Get) -> None:
    """--sort-by orders by a column whether or not it is printed; an unknown one is bad usage that names the others."""
    rows = get("pods", "-n", "shop", "--sort-by", "node", "-o", "wide", "--no-headers").table
    nodes = [row[6] for row in rows]
    assert nodes == sorted(nodes)
    names = get("pods", "-n", "shop", "--sort-by", "node", "--no-headers").table
    assert [row[0] for row in names] == [row[0] for row in rows]
    refused = get("pods", "-n", "shop", "--sort-by", "colour")
    assert refused.code == 2
    assert "readiness gates" in refused.err


def test_selectors_choose(get: Get) -> None:
    """-l and --field-selector are the server's to apply."""
    labelled = {row[0] for row in get("pods", "-n", "shop", "-l", "app=storefront", "--no-headers").table}
    assert labelled
    assert all(name.startswith("storefront-") for name in labelled)
    on_node = get("pods", "-A", "--field-selector", "spec.nodeName=worker-0", "-o", "wide", "--no-headers").table
    assert {row[7] for row in on_node} == {"worker-0"}


def test_json_is_a_list_of_whole_objects(get: Get) -> None:
    """-o json prints a List with apiVersion and kind in every item, keys in order and no managedFields."""
    text = get("deploy", "-n", "shop", "-o", "json").out
    listed = json.loads(text)
    assert (listed["kind"], listed["apiVersion"]) == ("List", "v1")
    assert len(listed["items"]) > 2
    for item in listed["items"]:
        assert (item["apiVersion"], item["kind"]) == ("apps/v1", "Deployment")
        assert "managedFields" not in item["metadata"]
        assert item["spec"]["template"]["spec"]["containers"]
    assert text == json.dumps(listed, indent=4, sort_keys=True, ensure_ascii=False) + "\n"


def test_yaml_says_the_same_as_json(get: Get) -> None:
    """-o yaml and -o json are the same objects in another form, alone and in a List."""
    for words in (["deploy", "-n", "shop"], ["deploy", "storefront", "-n", "shop"], ["cm,secrets", "-n", "shop"]):
        loaded = yaml.safe_load(get(*words, "-o", "yaml").out)
        assert loaded == json.loads(get(*words, "-o", "json").out)


def test_named_object_is_printed_as_itself(get: Get) -> None:
    """One object that was named is no List."""
    assert json.loads(get("svc", "storefront", "-n", "shop", "-o", "json").out)["kind"] == "Service"


def test_empty_list_is_still_json(get: Get) -> None:
    """A program that reads JSON gets JSON, also when there is nothing."""
    done = get("pods", "-l", "app=nothing", "-o", "json")
    assert json.loads(done.out)["items"] == []
    assert yaml.safe_load(get("pods", "-l", "app=nothing", "-o", "yaml").out)["items"] == []


def test_denied_is_one_sentence(get: Get) -> None:
    """What the user may not see is told in a sentence with a next step, and exits with 1."""
    done = get("pods", "--context", "demo-nobody")
    assert (done.code, done.out) == (1, "")
    first, second = done.err.splitlines()
    assert first.startswith("ktui: ")
    assert "may not list pods" in first
    assert second.strip()


@pytest.mark.parametrize(
    "words",
    [
        ["pods", "x", "-A"],
        ["pods", "x", "-n", "a,b"],
        ["pods", "x", "-l", "a=b"],
        ["pods", "-o", "json", "--sort-by", "age"],
        ["pods", "-w", "-o", "yaml"],
        ["pods,svc", "-w"],
        ["pods", "a", "b", "-w"],
        ["pod/x", "y"],
        ["pod/", "-n", "shop"],
        [","],
        ["pods", "-w", "--sort-by", "age"],
    ],
)
def test_what_does_not_fit_together_is_bad_usage(get: Get, words: list[str]) -> None:
    """Contradicting arguments are refused with exit code 2, a sentence and a next step."""
    done = get(*words)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2


def test_unreachable_cluster_is_one_sentence(ktui: Callable[..., Done], tmp_path: Path) -> None:
    """A cluster that does not answer is told with its address and what to check."""
    config = {
        "contexts": [{"name": "c", "context": {"cluster": "c"}}], "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    }  # fmt: skip
    path = tmp_path / "k.yaml"
    path.write_text(json.dumps(config))
    done = ktui("get", "pods", "--kubeconfig", path)
    assert (done.code, done.out) == (1, "")
    assert "Cannot reach https://127.0.0.1:1: connection refused." in done.err


def test_missing_kubeconfig_is_one_sentence(ktui: Callable[..., Done], tmp_path: Path) -> None:
    """A kubeconfig that is not there is told by its name."""
    done = ktui("get", "pods", "--kubeconfig", tmp_path / "none")
    assert done.code == 1
    assert "There is no kubeconfig ~/none." in done.err


# -- as a process of its own -----------------------------------------------------------------


@pytest.fixture
def spawn(shop: Shop) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `ktui get` as a process of its own, with pipes."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ktui", "get", "--kubeconfig", str(shop.kubeconfig), *words]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], found: Callable[[str], bool]) -> str:
    """The first line of a process's output that fits."""
    assert process.stdout is not None
    for line in process.stdout:
        if found(line):
            return line
    raise AssertionError("the output ended before")


def change_data(shop: Shop, resource: str, namespace: str, name: str, value: str | None) -> None:
    """Gives an object a key with a value; deletes the object when the value is None."""

    def change(cluster: Any) -> None:
        if value is None:
            cluster.storage.delete(resource, namespace, name)
            return
        item = json.loads(json.dumps(cluster.storage.get(resource, namespace, name)))
        item["data"] = {"key": value, **item.get("data", {})}
        cluster.storage.update(resource, item)

    shop.do(change)


def make_configmap(shop: Shop, name: str) -> None:
    """Creates an empty ConfigMap."""
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}
    shop.do(lambda cluster: cluster.storage.create("configmaps", item))


def test_watch_prints_what_changes(spawn: Callable[..., subprocess.Popen[str]], shop: Shop) -> None:
    """--watch prints every row once, then a row again when its object is made, changed or deleted, until ctrl+c."""
    process = spawn("configmaps", "-w", "--no-headers")
    read_until(process, lambda line: line.startswith("kube-root-ca.crt"))
    make_configmap(shop, "watched")
    assert read_until(process, lambda line: line.startswith("watched")).split()[1] == "0"
    change_data(shop, "configmaps", "default", "watched", "v")
    assert read_until(process, lambda line: line.startswith("watched")).split()[1] == "1"
    change_data(shop, "configmaps", "default", "watched", None)
    assert read_until(process, lambda line: line.startswith("watched")).split()[1] == "1"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("", "", 130)


def test_watch_outlives_a_broken_connection(spawn: Callable[..., subprocess.Popen[str]], shop: Shop) -> None:
    """When the connection breaks it is told, made again, and what changed meanwhile is printed."""
    process = spawn("configmaps", "-w", "-o", "name")
    read_until(process, lambda line: line == "configmap/kube-root-ca.crt\n")
    shop.wait_for(lambda cluster: cluster.server.faults.refuse())
    assert process.stderr is not None
    assert process.stderr.readline().endswith("; trying again.\n")
    make_configmap(shop, "meanwhile")
    shop.wait_for(lambda cluster: cluster.server.faults.accept())
    read_until(process, lambda line: line == "configmap/meanwhile\n")
    assert process.stderr.readline() == "ktui: up to date again.\n"
    change_data(shop, "configmaps", "default", "meanwhile", None)


def test_watch_of_one_object_prints_no_other(spawn: Callable[..., subprocess.Popen[str]], shop: Shop) -> None:
    """With a name, only that object is followed."""
    make_configmap(shop, "one")
    make_configmap(shop, "other")
    process = spawn("configmaps", "one", "-w", "-o", "name")
    read_until(process, lambda line: line == "configmap/one\n")
    change_data(shop, "configmaps", "default", "other", "v")
    change_data(shop, "configmaps", "default", "one", None)
    assert process.stdout is not None
    assert process.stdout.readline() == "configmap/one\n"
    change_data(shop, "configmaps", "default", "other", None)


def test_watch_ends_when_nobody_reads(spawn: Callable[..., subprocess.Popen[str]]) -> None:
    """A closed pipe ends it quietly and at once, without waiting for the next change."""
    process = spawn("nodes", "-w")
    read_until(process, lambda line: line.startswith("cp-0"))
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=10) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_closed_pipe_is_no_error(shop: Shop) -> None:
    """Output that nobody reads to its end is nothing to complain about."""
    command = f"{sys.executable} -m ktui get pods -A -o json --kubeconfig {shop.kubeconfig} | head -c 10"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", '{\n    "api')


def test_full_disk_is_one_sentence(shop: Shop) -> None:
    """Output that cannot be written is told, and is no crash."""
    command = [sys.executable, "-m", "ktui", "get", "pods", "-A", "--kubeconfig", str(shop.kubeconfig)]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("ktui: The output cannot be written")


def test_get_imports_no_textual(shop: Shop) -> None:
    """`ktui get` draws nothing and imports nothing that draws, nor kubernetes-asyncio's 1,200 models."""
    code = "import sys; from ktui.__main__ import main; main(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-c", code, "get", "pods", "-A", "--kubeconfig", str(shop.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = set(done.stdout.splitlines()[-1].split())
    assert not {name for name in names if name.partition(".")[0] in ("textual", "rich")}
    assert not {name for name in names if name.startswith("kubernetes_asyncio.client.models")}
