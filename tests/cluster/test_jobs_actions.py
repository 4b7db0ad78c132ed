"""Cron jobs and jobs: run now, suspend, resume."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from ktui.actions.action import Asks
from ktui.actions.run_now import RUN_NOW
from ktui.actions.suspend import RESUME, SUSPEND
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kube.client import Client
from ktui.kube.listing import kind_called
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.doing import Deed, content, own_node, own_pod_spec
from tests.cluster.objects import Objects, until
from tests.cluster.specimens import Manifest

# What the API server gives each job of its own.
_UIDS = ("controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name")


@pytest.fixture
async def node(objects: Objects) -> str:
    """A simulated node of the test's own."""
    name = f"t-{secrets.token_hex(4)}"
    await own_node(objects, name)
    return name


@pytest.fixture
async def cron_jobs(client: Client) -> Kind:
    """The kind."""
    return await kind_called("cronjobs", client)


@pytest.fixture
async def jobs(client: Client) -> Kind:
    """The kind."""
    return await kind_called("jobs", client)


def job(namespace: str, name: str, node: str, **spec: Any) -> Manifest:
    pods = {"metadata": {"labels": {"app": "work"}}, "spec": {**own_pod_spec(node), "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": pods, **spec},
    }


def cron_job(namespace: str, name: str, node: str, **spec: Any) -> Manifest:
    about = {"labels": {"team": "shop"}, "annotations": {"note": "nightly"}}
    template = {"metadata": about, "spec": job(namespace, name, node, backoffLimit=2)["spec"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"schedule": "0 4 29 2 *", "jobTemplate": template, **spec},
    }


def alike(item: Manifest) -> Manifest:
    """A job without what tells it from its twin."""
    left = content(item)
    template = left["spec"]["template"]["metadata"]
    for labels in (left["metadata"].get("labels", {}), left["spec"]["selector"]["matchLabels"], template["labels"]):
        for name in _UIDS:
            labels.pop(name, None)
    return left


async def test_a_job_made_by_hand_is_as_kubectls_and_is_followed_to_its_end(
    objects: Objects, opened: Opened, kubectl: Kubectl, namespace: str, node: str, cron_jobs: Kind
) -> None:
    await objects.apply(cron_job(namespace, "nightly", node, suspend=True))
    deed = await Deed(await opened(), RUN_NOW, cron_jobs, ObjectKey(namespace, "nightly")).done()
    assert deed.error is None
    assert "runs all the same" in deed.foretold()
    name = deed.undertaking.values["name"]
    assert name.startswith("nightly-manual-")
    await kubectl("-n", namespace, "create", "job", "twin", "--from=cronjob/nightly")
    one, other = [
        await objects.get({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": n, "namespace": namespace}})
        for n in (name, "twin")
    ]
    assert alike(one) == alike(other)
    assert one["metadata"]["ownerReferences"] == other["metadata"]["ownerReferences"]
    assert one["metadata"]["annotations"] == {"cronjob.kubernetes.io/instantiate": "manual", "note": "nightly"}
    assert deed.told[-1].text == "Complete: 1/1 pods succeeded."
    assert deed.previews[0].error is None


async def test_a_name_that_is_taken_is_refused_by_the_server(
    objects: Objects, opened: Opened, namespace: str, node: str, cron_jobs: Kind
) -> None:
    await objects.apply(cron_job(namespace, "nightly", node))
    await objects.apply(job(namespace, "taken", node, suspend=True))
    deed = await Deed(await opened(), RUN_NOW, cron_jobs, ObjectKey(namespace, "nightly"), name="taken").done()
    assert deed.refusal == 'jobs.batch "taken" already exists.'


async def test_a_cron_job_is_suspended_and_resumed_as_by_kubectl(
    objects: Objects, opened: Opened, kubectl: Kubectl, namespace: str, node: str, cron_jobs: Kind
) -> None:
    mine, twin = cron_job(namespace, "mine", node), cron_job(namespace, "twin", node)
    for made in (mine, twin):
        await objects.apply(made)
    session, key = await opened(), ObjectKey(namespace, "mine")
    for action, wanted in ((SUSPEND, "true"), (RESUME, "false")):
        deed = await Deed(session, action, cron_jobs, key).done()
        assert deed.error is None
        await kubectl("-n", namespace, "patch", "cronjob", "twin", "-p", f'{{"spec":{{"suspend":{wanted}}}}}')
        assert content(await objects.get(mine)) == content(await objects.get(twin))
    again = await Deed(session, RESUME, cron_jobs, key).done()
    assert again.refusal == "cronjob.batch/mine not suspended"
    assert not again.written


async def test_a_suspended_job_loses_its_pods_and_gets_others_when_it_is_resumed(
    objects: Objects, opened: Opened, namespace: str, node: str, jobs: Kind
) -> None:
    # On a node that does not exist: its pods neither end nor begin by themselves.
    made = job(namespace, "work", "nowhere", parallelism=2, completions=2)
    made["spec"]["template"]["spec"].pop("nodeName")
    made["spec"]["template"]["spec"]["schedulerName"] = "nobody"
    await objects.apply(made)

    async def active(count: int) -> bool:
        return bool((await objects.get(made)).get("status", {}).get("active", 0) == count)

    await until(lambda: active(2), 30, "the job made no pods")
    session, key = await opened(), ObjectKey(namespace, "work")
    deed = await Deed(session, SUSPEND, jobs, key).done()
    assert deed.error is None
    assert "2 pods that run now will be deleted" in deed.foretold()
    assert SUSPEND.asks(deed.undertaking.targets, {}) is Asks.CONFIRM
    await until(lambda: active(0), 30, "the job kept its pods")
    again = await Deed(session, SUSPEND, jobs, key).done()
    assert again.refusal == "job.batch/work already suspended"
    assert SUSPEND.ready(again.undertaking.targets[0]) == "already suspended"
    assert (await Deed(session, RESUME, jobs, key).done()).error is None
    await until(lambda: active(2), 30, "the job made no pods again")


async def test_a_finished_job_is_neither_suspended_nor_resumed(
    objects: Objects, opened: Opened, namespace: str, node: str, jobs: Kind
) -> None:
    made = job(namespace, "work", node)
    await objects.apply(made)

    async def complete() -> bool:
        conditions = (await objects.get(made)).get("status", {}).get("conditions") or ()
        return any(c["type"] == "Complete" and c["status"] == "True" for c in conditions)

    await until(complete, 60, "the job did not complete")
    for action in (SUSPEND, RESUME):
        deed = await Deed(await opened(), action, jobs, ObjectKey(namespace, "work")).done()
        assert deed.refusal == "job.batch/work already finished"
