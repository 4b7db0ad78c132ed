"""Set image: which images the containers run.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_set/kubectl_set_image/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ktui.actions.action import Access, Action, Cluster, Said, Step, Target
from ktui.actions.form import Form, TextField, Values
from ktui.actions.kubectl import kubectl
from ktui.actions.pod_template import Changes, all_containers, changed, container_of, filled_in, patch_step, remembered
from ktui.actions.rollouts import follow_template, replacements
from ktui.kinds.kind import Trait
from ktui.kinds.tone import Tone

# Source: https://github.com/distribution/reference/blob/main/reference.go
_ALNUM = r"[a-z0-9]+"
_PATH = rf"{_ALNUM}(?:(?:\.|_|__|-+){_ALNUM})*"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_NAME = rf"(?:{_HOST}/)?{_PATH}(?:/{_PATH})*"
_TAG = r"\w[\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(rf"({_NAME})(?::({_TAG}))?(?:@({_DIGEST}))?", re.ASCII)

LONGEST_NAME = 255


def wrong_image(text: str) -> str:
    """What is wrong with an image reference, one sentence; empty when nothing is."""
    text = text.strip()
    if match := _REFERENCE.fullmatch(text):
        return "" if len(match[1]) <= LONGEST_NAME else f"An image's name has at most {LONGEST_NAME} characters."
    if re.search(r"\s", text):
        return "An image has no spaces in it."
    if "//" in text or text.startswith(("http:", "https:")):
        return "An image is no URL: write registry.example.com/name:tag."
    name = text.partition("@")[0]
    repository = re.sub(r":[^/]*$", "", name)
    if _REFERENCE.fullmatch(repository.lower()) and repository != repository.lower():
        return "An image's name is in lower case."
    if "@" in text and _REFERENCE.fullmatch(name):
        return "After @ stands a digest: sha256: and 64 hexadecimal digits."
    if _REFERENCE.fullmatch(repository):
        return "A tag has letters, digits, _, . and - only, and begins with none of the last two."
    return "That is no image: write name:tag, with its registry and a / in front where it needs one."


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    fields, facts = [], []
    for container, same in all_containers(targets):
        images = list(dict.fromkeys(str(one.spec.get("image", "")) for one in same))
        if len(images) > 1:
            facts.append(f"{container.label} runs {', '.join(images)}")
        fields.append(
            TextField(
                name=f"image {container.name}",
                label=container.label,
                help="name:tag" if len(images) == 1 else "name:tag; empty leaves each as it is",
                text=images[0] if len(images) == 1 else "",
                check=_unless_it_was(images, wrong_image),
                required=len(images) == 1,
            )
        )
    return Form((*fields, remembered(fields)), tuple(facts))


def _unless_it_was(before: list[str], check: Callable[[str], str]) -> Callable[[str], str]:
    """Whatever the cluster has may stay."""
    return lambda text: "" if text in before else check(text)


def _plan(target: Target, values: Values) -> Sequence[Step]:
    changes = _changes(target, values)
    if not changes:
        return ()
    words = [f"{name}={change['image']}" for name, change in changes.items()]
    return (patch_step(target, changes, kubectl(["set", "image"], target.kind, target.key, *words)),)


def _changes(target: Target, values: Values) -> Changes:
    changes: Changes = {}
    for name, text, _ in filled_in(values, "image"):
        image = text.strip()
        if image and container_of(target, name).spec.get("image") != image:
            changes[name] = {"image": image}
    return changes


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    found = changed(targets, values, _changes)
    said = []
    for image in sorted({change["image"] for _, changes in found for change in changes.values()}):
        match = _REFERENCE.fullmatch(image)
        if match is not None and not match[3] and match[2] in (None, "latest"):
            said.append(Said(f"{image}: latest may be something else tomorrow, or on another node.", Tone.WARNING))
    return [*said, *await replacements(cluster, targets, [target for target, _ in found])]


SET_IMAGE = Action(
    id="set-image",
    key="i",
    title="Set image",
    help="Set which images the containers run.",
    offers=lambda kind: bool(kind.traits & (Trait.TEMPLATED | Trait.EVICTABLE)),
    access=(Access("patch"),),
    form=_form,
    plan=_plan,
    weigh=_weigh,
    follow=follow_template,
    direct=True,
    footer=False,
    done="Image set",
)
