"""Create a deployment, as `kubectl create deployment` does, with the environment that `kubectl set env` gives it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Iterable, Sequence

from ktui.actions.action import Access, Action, Cluster, Doing, JsonObject, Refusal, Said, Step, Target
from ktui.actions.creation import (
    command_field,
    creation,
    follow_made,
    from_manifest,
    meta,
    name_field,
    namespace_field,
    refused,
    text_of,
    whole_name,
    words_of,
)
from ktui.actions.form import Form, NumberField, TextField, Values
from ktui.actions.names import RANDOM_LETTERS, dns_subdomain, env_name, label_value
from ktui.actions.rollouts import progress
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.names import GVR_DEPLOYMENTS
from ktui.kinds.tone import Tone


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form(
        (
            # The name is a label's value, too.
            name_field(lambda text: dns_subdomain(text) or label_value(text), placeholder="hello-node"),
            TextField(
                name="images",
                label="Image",
                help="The image to run; several with commas between them.",
                placeholder="registry.k8s.io/e2e-test-images/agnhost:2.53",
                required=True,
            ),
            NumberField(name="replicas", label="Replicas", help="How many pods.", number=1),
            NumberField(
                name="port",
                label="Port",
                help="The port that the container listens on; empty for none.",
                minimum=1,
                maximum=65535,
                required=False,
            ),
            command_field("Instead of the image's own; empty for that."),
            TextField(
                name="env",
                label="Environment",
                help="A line each: NAME=VALUE.",
                lines=4,
                placeholder="LOG_LEVEL=debug",
                check=refused(environment),
            ),
            namespace_field(cluster, targets),
        )
    )


def _plan(target: Target, values: Values) -> Sequence[Step]:
    body = deployment(values)
    if text_of(values, "env"):
        # kubectl takes two commands for it, and so two rollouts.
        return (from_manifest(DEPLOYMENTS, body),)
    words = ["create", "deployment", body["metadata"]["name"]]
    words += [f"--image={image}" for image in images_of(values)]
    if body["spec"]["replicas"] != 1:
        words.append(f"--replicas={body['spec']['replicas']}")
    if values.get("port") is not None:
        words.append(f"--port={values['port']}")
    if command := words_of(text_of(values, "command")):
        words += ["--", *command]
    return (creation(DEPLOYMENTS, body, *words),)


def deployment(values: Values) -> JsonObject:
    """The Deployment, as kubectl create deployment makes it.

    Raises:
        Refusal: in kubectl's words.
    """
    name, images, command = whole_name(values), images_of(values), words_of(text_of(values, "command"))
    if not images:
        raise Refusal('required flag(s) "image" not set')
    if len(images) > 1 and command:
        raise Refusal("cannot specify multiple --image options and command")
    env = environment(str(values.get("env") or ""))
    containers: list[JsonObject] = []
    for place, image in enumerate(images):
        containers.append({"name": container_name(image, place), "image": image})
        containers[-1] |= {"command": command} if command else {}
        containers[-1] |= {"env": env} if env else {}
    if (port := values.get("port")) is not None:
        containers[0]["ports"] = [{"containerPort": port}]
    replicas = values.get("replicas")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(values, labels={"app": name}),
        "spec": {
            "replicas": 1 if replicas is None else replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
        },
    }


def images_of(values: Values) -> list[str]:
    """The images that were typed."""
    return text_of(values, "images").replace(",", " ").split()


def container_name(image: str, place: int = 0) -> str:
    """The name of the container of an image: the last part of its path, without tag and digest.

    Where it has a `.` or a `_`, kubectl writes `-` and adds five random letters. Here they depend on the image and its
    place, so that what is shown before is what is sent.

    Args:
        image: as it was typed.
        place: which of several images it is.
    """
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    if "_" not in name and "." not in name:
        return name
    digest = hashlib.sha256(f"{place} {image}".encode()).digest()
    letters = "".join(RANDOM_LETTERS[byte % len(RANDOM_LETTERS)] for byte in digest[:5])
    return f"{name.replace('_', '-').replace('.', '-')}-{letters}"


def environment(text: str) -> list[JsonObject]:
    """Environment variables from lines of `NAME=VALUE`, as `kubectl set env` takes them; the first of a name counts.

    Raises:
        Refusal: in kubectl's words.
    """
    found: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        name, equals, value = line.partition("=")
        if not equals:
            raise Refusal(f"unknown environment variable: {line}")
        if wrong := env_name(name):
            raise Refusal(f'"{name}" is not a valid key name: {wrong.replace("; ", ";")}')
        found.setdefault(name, value)
    return [{"name": name, **({"value": value} if value else {})} for name, value in found.items()]


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    return [*untagged(images_of(values)), *_no_replicas(values)]


def untagged(images: Iterable[str]) -> list[Said]:
    """A caution for images whose tag is not given.

    Source: https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting
    """
    return [
        Said(f"{image} has no tag: that is :latest, pulled anew for every pod, whatever it is then.", Tone.WARNING)
        for image in images
        if "@" not in image and ":" not in image.rpartition("/")[2]
    ]


def _no_replicas(values: Values) -> list[Said]:
    return [Said("No pod will run until it is scaled.")] if values.get("replicas") == 0 else []


# -- how it goes on --------------------------------------------------------------------------------


def _follow(doing: Doing) -> AsyncGenerator[Said, None]:
    return follow_made(doing, GVR_DEPLOYMENTS, 'deployment "{}"', lambda item: progress("Deployment", item).said)


CREATE_DEPLOYMENT = Action(
    id="create-deployment",
    key="d",
    title="Create deployment",
    help="Make a deployment that keeps pods of an image running.",
    plan=_plan,
    offers=lambda kind: kind.gvr == GVR_DEPLOYMENTS,
    access=(Access("create", gvr=GVR_DEPLOYMENTS),),
    form=_form,
    weigh=_weigh,
    follow=_follow,
    many=False,
    creates=True,
    done="Created",
)
