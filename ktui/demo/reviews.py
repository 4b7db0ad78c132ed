"""Reviews: what may I do, and who am I (`kubectl auth can-i`, `kubectl auth whoami`)."""

from __future__ import annotations

from typing import Any

from ktui.demo import errors
from ktui.demo.clock import rfc3339
from ktui.demo.rbac import Access
from ktui.demo.representations import encode
from ktui.demo.request import Reply, Request
from ktui.demo.resources import Resource
from ktui.demo.router import Call
from ktui.demo.users import User

Object = dict[str, Any]


def review(request: Request, resource: Resource, access: Access, now: float) -> Reply:
    """Answers a review.

    Args:
        request: the request, a create.
        resource: which sort of review.
        access: what decides.
        now: seconds since the epoch.
    """
    asked = request.object(resource.kind)
    answer = {
        "SelfSubjectAccessReview": _access_review,
        "SelfSubjectRulesReview": _rules_review,
        "SelfSubjectReview": _identity_review,
    }[resource.kind]
    spec, status = answer(asked.get("spec") or {}, request.user, access)
    body: Object = {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": {key: value for key, value in (asked.get("metadata") or {}).items() if value},
    }
    if resource.kind == "SelfSubjectReview":
        body["metadata"]["creationTimestamp"] = rfc3339(now)
    else:
        body["spec"] = spec
    return Reply(encode(body | {"status": status}), 201)


def _access_review(spec: Object, user: User, access: Access) -> tuple[Object, Object]:
    call = _meant(spec)
    why = access.reason(user, call)
    told = {part: {key: text for key, text in said.items() if text != ""} for part, said in spec.items() if said}
    return told, {"allowed": why is not None} | ({"reason": why} if why else {})


def _meant(spec: Object) -> Call:
    path = spec.get("nonResourceAttributes")
    if path is not None:
        return Call(path=path.get("path", ""), verb=path.get("verb", ""))
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        cause = errors.bad_value(
            "spec.resourceAttributes",
            None,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )
        raise errors.invalid("", "", [cause], group="authorization.k8s.io")
    return Call(
        path="",
        verb=wanted.get("verb", ""),
        group=wanted.get("group", ""),
        version=wanted.get("version", ""),
        resource=wanted.get("resource", ""),
        namespace=wanted.get("namespace", ""),
        name=wanted.get("name", ""),
        subresource=wanted.get("subresource", ""),
    )


def _rules_review(spec: Object, user: User, access: Access) -> tuple[Object, Object]:
    namespace = spec.get("namespace", "")
    if not namespace:
        raise errors.bad_request("no namespace on request")
    rules = access.rules(user, namespace)
    fields = ("verbs", "apiGroups", "resources", "resourceNames")
    status = {
        "resourceRules": [
            {field: rule[field] for field in fields if rule.get(field)} for rule in rules if rule.get("resources")
        ],
        "nonResourceRules": [
            {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
            for rule in rules
            if rule.get("nonResourceURLs")
        ],
        "incomplete": False,
    }
    return {}, status


def _identity_review(spec: Object, user: User, access: Access) -> tuple[Object, Object]:
    return {}, {"userInfo": {"username": user.name, "uid": user.name, "groups": list(user.groups)}}
