"""Who may do what: the rules of Role, ClusterRole and their bindings, as stored, applied to calls.

As kubernetes.io/docs/reference/access-authn-authz/rbac says: rules only ever allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ktui.demo.errors import StatusError, forbidden
from ktui.demo.router import Call
from ktui.demo.storage import Event, Storage
from ktui.demo.users import AUTHENTICATED, MASTERS, User

Rule = dict[str, Any]

_GROUP = "rbac.authorization.k8s.io"
_PUBLIC_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/version/")

# system:basic-user and system:discovery: what every user may do, whatever the stored objects say.
_EVERYBODY: tuple[Rule, ...] = (
    {
        "verbs": ["create"],
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
    {
        "verbs": ["get"],
        "nonResourceURLs": [
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
            "/version", "/version/",
        ],
    },
)  # fmt: skip


class Access:
    """Decides calls from the stored RBAC objects; what it found is kept until one of them changes.

    Args:
        storage: where the roles and bindings are.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[tuple[User, str], list[tuple[Rule, str]]] = {}
        self._unsubscribe = storage.subscribe(self._forget)

    def close(self) -> None:
        """Stops listening to the storage."""
        self._unsubscribe()

    def check(self, user: User, call: Call) -> None:
        """Lets the call pass or raises.

        Raises:
            StatusError: 403, worded as the API server words it.
        """
        if self.allows(user, call):
            return
        if not call.resource:
            why = f'forbidden: User "{user.name}" cannot {call.verb} path "{call.path}"'
            raise StatusError(403, "Forbidden", why, {})
        raise forbidden(call.key, call.name, denial(user, call))

    def allows(self, user: User, call: Call) -> bool:
        """Whether the user may make this call."""
        return self.reason(user, call) is not None

    def reason(self, user: User, call: Call) -> str | None:
        """Why the user may make this call, "" where nobody needs to say so; None when it may not."""
        if MASTERS in user.groups:
            return ""
        if not call.resource and call.path in _PUBLIC_PATHS and call.verb in ("get", "head"):
            return ""
        for rule, why in self._granted(user, call.namespace):
            if _covers(rule, call):
                return why
        if AUTHENTICATED in user.groups and any(_covers(rule, call) for rule in _EVERYBODY):
            return ""
        return None

    def rules(self, user: User, namespace: str) -> list[Rule]:
        """All stored rules that hold for a user in a namespace ("" for those that hold cluster-wide)."""
        return [rule for rule, _ in self._granted(user, namespace)]

    def _granted(self, user: User, namespace: str) -> list[tuple[Rule, str]]:
        known = self._known.get((user, namespace))
        if known is None:
            known = self._known[user, namespace] = list(self._bound(user, namespace))
        return known

    def _forget(self, event: Event) -> None:
        if event.resource.endswith(_GROUP):
            self._known.clear()

    def _bound(self, user: User, namespace: str) -> Iterator[tuple[Rule, str]]:
        """Rules and who granted them, in the API server's words."""
        bindings = [("ClusterRoleBinding", "", self._storage.list(f"clusterrolebindings.{_GROUP}"))]
        if namespace:
            bindings.append(("RoleBinding", namespace, self._storage.list(f"rolebindings.{_GROUP}", namespace)))
        for kind, place, found in bindings:
            for binding in found:
                whom, role = _bound_subject(binding, user), binding["roleRef"]
                if whom:
                    name = f"{binding['metadata']['name']}/{place}" if place else binding["metadata"]["name"]
                    why = f'RBAC: allowed by {kind} "{name}" of {role["kind"]} "{role["name"]}" to {whom}'
                    for rule in self._role(role, place):
                        yield rule, why

    def _role(self, reference: dict[str, Any], namespace: str) -> Sequence[Rule]:
        if reference["kind"] == "ClusterRole":
            role = self._storage.get(f"clusterroles.{_GROUP}", "", reference["name"])
        else:
            role = self._storage.get(f"roles.{_GROUP}", namespace, reference["name"])
        return (role or {}).get("rules") or ()


def denial(user: User, call: Call) -> str:
    """What a refused resource call is told after "is forbidden: "."""
    resource = f"{call.resource}/{call.subresource}" if call.subresource else call.resource
    where = f'in the namespace "{call.namespace}"' if call.namespace else "at the cluster scope"
    return f'User "{user.name}" cannot {call.verb} resource "{resource}" in API group "{call.group}" {where}'


def _bound_subject(binding: dict[str, Any], user: User) -> str:
    """The first of a binding's subjects that is this user, "" for none."""
    for subject in binding.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "User" and name in ("*", user.name):
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        account = f"system:serviceaccount:{subject.get('namespace', '')}:{name}"
        if kind == "ServiceAccount" and account == user.name:
            return f'ServiceAccount "{name}/{subject.get("namespace", "")}"'
    return ""


def _covers(rule: Rule, call: Call) -> bool:
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and call.verb not in verbs:
        return False
    if not call.resource:
        return any(_covers_path(path, call.path) for path in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if "*" not in groups and call.group not in groups:
        return False
    names = rule.get("resourceNames") or ()
    if names and call.name not in names:
        return False
    wanted = f"{call.resource}/{call.subresource}" if call.subresource else call.resource
    return any(
        resource in ("*", wanted) or (call.subresource and resource == f"*/{call.subresource}")
        for resource in rule.get("resources") or ()
    )


def _covers_path(pattern: str, path: str) -> bool:
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return path == pattern
