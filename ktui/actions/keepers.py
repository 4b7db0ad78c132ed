"""Keepers: who keeps an object as it is, and will undo a change, or make the object again.

Pure functions of a whole object. What a keeper really does depends on how it is set up, which the object does not tell;
so the sentences say what it will do when it acts next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ktui.actions.action import Said
from ktui.kinds.references import identity
from ktui.kinds.tone import Tone

JsonObject = Mapping[str, Any]

Path = Sequence[str | int]
"""The way to a field: `("spec", "replicas")`. A list's element is given by its place, or by its name."""

_REPLICAS: Path = ("spec", "replicas")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TEMPLATED = ("ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job")

# Who writes fields without keeping them: people's tools, and what is told by other signs.
_NO_KEEPERS = ("kubectl", "ktui", "kube-", "kubelet", "helm", "argocd", "kustomize-controller", "before-first-apply")

# What the control plane makes again when it is gone, or never lets go.
# Sources: https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts,
# https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-kube-root-ca-crt ; the control plane's
# service and namespaces: pkg/controlplane/controller of Kubernetes.
_REMADE = (
    ("ServiceAccount", "", "default"),
    ("ConfigMap", "", "kube-root-ca.crt"),
    ("Service", "default", "kubernetes"),
    ("Namespace", "", "kube-node-lease"),
)


def keepers(item: JsonObject, changed: Iterable[Path] = (), *, deleted: bool = False) -> list[Said]:
    """Who will revert a change of an object, or drift from it, one sentence each with what to do instead.

    Args:
        item: the whole object with its managedFields, as it was before the change.
        changed: the fields that are changed, where that is known.
        deleted: whether the object is deleted rather than changed.
    """
    if owner := controller(item):
        # What a controller copies to what it makes, such as labels of Helm, says nothing about who keeps that.
        found = [_owned(item, owner, deleted)]
    else:
        found = (
            [*_argo_cd(item, deleted), *_flux(item, deleted)] or [*_helm(item, deleted)] or [*_applied(item, deleted)]
        )
    found += _control_plane(item, deleted)
    if not deleted:
        found += _managers(item, list(changed))
    return found


def controller(item: JsonObject) -> JsonObject | None:
    """The owner reference of what controls an object, if anything does.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
    """
    owners: Sequence[JsonObject] = item["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def _owned(item: JsonObject, owner: JsonObject, deleted: bool) -> Said:
    kind, name = str(owner.get("kind", "")), str(owner.get("name", ""))
    who = f"{kind} {name}"
    if kind == "Node":
        # https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
        text = f"The kubelet of node {name} runs this pod from a file there, whatever is done here: change that file."
    elif deleted:
        text = f"{who} makes a new one, unless it is done." if kind == "Job" else f"{who} makes a new one in its place."
    elif identity(item) == ("", "Pod") and kind in _TEMPLATED:
        text = f"{who} made this pod, and makes the next one without this change: change the template instead."
    elif kind == "CronJob":
        text = f"{who} made it, and makes the next one without this change: change the {kind} instead."
    else:
        text = f"{who} made it and will undo what is changed here: change the {kind} instead."
    return Said(text, Tone.PLAIN if deleted else Tone.WARNING)


# -- what deploys it ------------------------------------------------------------------------------


def _argo_cd(item: JsonObject, deleted: bool) -> Iterator[Said]:
    """Argo CD's application, by its tracking annotation or label.

    Source: https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
    """
    labels, annotations = _labels(item), _annotations(item)
    application, _, tracked = annotations.get("argocd.argoproj.io/tracking-id", "").partition(":")
    if application and tracked != _tracked(item):
        # It was copied with the annotations of another object, which Argo CD sees too.
        application = ""
    application = application or labels.get("argocd.argoproj.io/instance", "")
    if not application and any(_manager(entry).startswith("argocd") for entry in _managed(item)):
        application = labels.get("app.kubernetes.io/instance", "")
    if application:
        # An application of another namespace than Argo CD's own is written with it: `team_shop`.
        who = f"Argo CD application {application.replace('_', '/')}"
        yield _kept(f"{who} keeps it", "in the Git repository that it syncs", "its next sync", deleted)


def _tracked(item: JsonObject) -> str:
    group, kind = identity(item)
    meta = item["metadata"]
    return f"{group}/{kind}:{meta.get('namespace', '')}/{meta['name']}"


def _flux(item: JsonObject, deleted: bool) -> Iterator[Said]:
    """Flux' Kustomization or HelmRelease, by the labels that they leave.

    Source: https://fluxcd.io/flux/components/kustomize/kustomizations/ and .../helm/helmreleases/
    """
    labels = _labels(item)
    toolkit = "kustomize.toolkit.fluxcd.io"
    disabled = "disabled" in (labels.get(f"{toolkit}/reconcile"), _annotations(item).get(f"{toolkit}/reconcile"))
    if (name := labels.get(f"{toolkit}/name")) and not disabled:
        who = f"Flux Kustomization {_path(labels.get(f'{toolkit}/namespace'), name)}"
        yield _kept(f"{who} keeps it", "in the source that it applies", "its next run", deleted)
    toolkit = "helm.toolkit.fluxcd.io"
    if name := labels.get(f"{toolkit}/name"):
        who = f"Flux HelmRelease {_path(labels.get(f'{toolkit}/namespace'), name)}"
        yield _kept(f"{who} made it", "in the release's values", "its next upgrade", deleted)


def _helm(item: JsonObject, deleted: bool) -> Iterator[Said]:
    """The Helm release that an object belongs to.

    Source: https://helm.sh/docs/chart_best_practices/labels/ and setMetadataVisitor in helm.sh/helm/pkg/action
    """
    annotations = _annotations(item)
    release = annotations.get("meta.helm.sh/release-name")
    if release and _labels(item).get("app.kubernetes.io/managed-by") == "Helm":
        who = f"Helm release {_path(annotations.get('meta.helm.sh/release-namespace'), release)}"
        yield _kept(f"{who} made it", "in the chart or its values", "the next helm upgrade", deleted)


def _applied(item: JsonObject, deleted: bool) -> Iterator[Said]:
    """A file, which somebody applies with kubectl.

    Source: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/
    """
    applied = any(_manager(entry) == "kubectl" and entry.get("operation") == "Apply" for entry in _managed(item))
    if applied or _LAST_APPLIED in _annotations(item):
        again = "creates it again" if deleted else "reverts what it sets"
        yield Said(f"It was made by kubectl apply: the next apply of its file {again}, unless the file changes too.")


def _kept(who: str, where: str, when: str, deleted: bool) -> Said:
    if deleted:
        return Said(f"{who}: remove it {where} as well, or {when} creates it again.", Tone.WARNING)
    return Said(f"{who}: change it {where}, or {when} reverts this.", Tone.WARNING)


# -- what writes its fields -----------------------------------------------------------------------


def _control_plane(item: JsonObject, deleted: bool) -> Iterator[Said]:
    group, kind = identity(item)
    meta = item["metadata"]
    if _annotations(item).get("rbac.authorization.kubernetes.io/autoupdate") == "true":
        # https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
        what = "comes back" if deleted else "gets back what it lacks"
        yield Said(f"It is one of Kubernetes' own: it {what} when the API server starts next.", Tone.WARNING)
    for what, namespace, name in _REMADE if deleted and not group else ():
        if (kind, meta["name"]) == (what, name) and namespace in ("", meta.get("namespace")):
            yield Said("Kubernetes itself makes a new one at once.")


def _managers(item: JsonObject, changed: list[Path]) -> Iterator[Said]:
    """Whoever else writes the fields that are changed.

    Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    for entry in _managed(item):
        manager = _manager(entry)
        mine = [path for path in changed if owns(entry.get("fieldsV1") or {}, item, path)]
        if not mine:
            continue
        fields = ", ".join(".".join(map(str, path)) for path in mine[:3]) + (" …" if len(mine) > 3 else "")
        if _scales(entry) and any(tuple(path) == _REPLICAS for path in mine):
            yield Said(
                "An autoscaler sets how many replicas run, and will set it again: change its bounds.", Tone.WARNING
            )
        elif manager.startswith(_NO_KEEPERS):
            continue
        elif entry.get("operation") == "Apply":
            yield Said(f"{manager} applies {fields}: its next apply puts it back; change it there.", Tone.WARNING)
        else:
            yield Said(f"{manager} has set {fields}, and may set it again.")


def _scales(entry: JsonObject) -> bool:
    """Whether somebody writes through the scale subresource that is no person: the autoscalers of Kubernetes."""
    autoscalers = ("horizontal-pod-autoscaler", "kube-controller-manager")
    return entry.get("subresource") == "scale" and _manager(entry).startswith(autoscalers)


def owns(fields: JsonObject, value: Any, path: Path) -> bool:
    """Whether a set of fields has a field, or anything within it.

    Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#fieldsv1-v1-meta

    Args:
        fields: a `fieldsV1`.
        value: the object, by which places in lists become keys.
        path: the way to the field.
    """
    for step in path:
        inner = _inner(fields, value, step)
        if inner is None:
            return False
        if not inner:
            # It is owned as a whole.
            return True
        fields, value = inner, _value(value, step)
    return True


def _inner(fields: JsonObject, value: Any, step: str | int) -> JsonObject | None:
    found: JsonObject | None
    if not isinstance(value, list):
        found = fields.get(f"f:{step}")
        return found
    element = _value(value, step)
    for key, found in fields.items():
        try:
            told = json.loads(key[2:]) if key[:2] in ("k:", "v:") else None
        except ValueError:
            continue
        if told == element and key.startswith("v:"):
            return found
        if isinstance(told, dict) and isinstance(element, dict) and told.items() <= element.items():
            return found
    return None


def _value(value: Any, step: str | int) -> Any:
    if isinstance(value, list) and isinstance(step, str):
        return next((each for each in value if (each.get("name") if isinstance(each, dict) else each) == step), None)
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _managed(item: JsonObject) -> Sequence[JsonObject]:
    return item["metadata"].get("managedFields") or ()


def _manager(entry: JsonObject) -> str:
    return str(entry.get("manager", ""))


def _labels(item: JsonObject) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}


def _annotations(item: JsonObject) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}


def _path(namespace: str | None, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name
