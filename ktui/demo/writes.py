"""Writes: create, update, patch, delete of stored objects, each from its request to the stored result."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Set
from typing import Any

from ktui.demo import errors
from ktui.demo.allocation import allocate, settle
from ktui.demo.apply import apply
from ktui.demo.clock import Clock, rfc3339
from ktui.demo.conform import in_order
from ktui.demo.custom_schema import fill_in, schema_of
from ktui.demo.defaults import apply_defaults
from ktui.demo.delete_options import read_delete_options
from ktui.demo.deletion import finish_if_done, request_delete
from ktui.demo.incoming import check_kind, check_place, check_uid, own_metadata
from ktui.demo.managed_fields import Path, changed, paths_of, record, removed
from ktui.demo.merge_rules import Rules, rules_of
from ktui.demo.quota import check_quota
from ktui.demo.request import Request, read_object
from ktui.demo.resources import Resource
from ktui.demo.selectors import object_predicate
from ktui.demo.storage import WITHOUT_GENERATION, Storage
from ktui.demo.validation import check_create, check_update
from ktui.demo.wanted import APPLY_PATCHES, check_declaration, check_patched_identity, conformed, patched
from ktui.demo.warnings import warnings_of
from ktui.demo.workload_identity import job_identity, note_template_generation, pod_identity, protect

Object = dict[str, Any]

# Kinds whose finished deletion answers with the object, not with a Status.
_SHOWN_WHEN_GONE = (
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "resourcequotas",
    "serviceaccounts",
    "services",
)
_HEAD = ("kind", "apiVersion")
_SYSTEM_FIELDS = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)


class Writes:
    """Does writes.

    Args:
        storage: where objects are.
        clock: for timestamps.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def perform(self, request: Request, resource: Resource) -> tuple[int, Object]:
        """Does the write a request asks for; `request.warnings` gathers what the client should hear beside.

        Returns:
            The HTTP status, and the object or Status to answer with.

        Raises:
            StatusError: whatever is wrong with it.
        """
        request.check_write_options()
        if request.call.verb == "create":
            return self._create(request, resource)
        if request.call.verb == "update":
            return self._update(request, resource)
        if request.call.verb == "patch":
            return self._patch(request, resource)
        if request.call.verb == "delete":
            return 200, self._delete(request, resource)
        if resource.namespaced and not request.call.namespace:
            raise errors.method_not_allowed()
        return 200, self._delete_collection(request, resource)

    def current(self, request: Request, resource: Resource) -> Object:
        """The stored object a request is about.

        Raises:
            StatusError: 404.
        """
        call = request.call
        found = self._storage.get(resource.key, call.namespace if resource.namespaced else "", call.name)
        if found is None:
            raise errors.not_found(resource.key, call.name)
        return found

    def replace(self, request: Request, resource: Resource, current: Object, wanted: Object, part: str = "") -> Object:
        """Stores a new state of an object.

        Args:
            request: the request.
            resource: its resource.
            current: the object as stored.
            wanted: what it shall be; it is not changed.
            part: "status" when only the status may change, else "".

        Raises:
            StatusError: 409 for an old resourceVersion, 422 for what breaks rules.
        """
        version = wanted["metadata"].get("resourceVersion")
        if version and not version.isdecimal():
            raise errors.StatusError(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
        if version and version != current["metadata"]["resourceVersion"]:
            raise errors.conflict(resource.key, current["metadata"]["name"])
        obj = self._next_state(request, resource, current, wanted, part)
        rules = _rules(resource, obj)
        owned, gone = changed(current, obj, rules), removed(current, obj, rules)
        if owned or gone:
            obj = self._recorded(request, obj, owned, "Update", part, gone=gone)
        return self._store_update(request, resource, current, obj)

    def _next_state(self, request: Request, resource: Resource, current: Object, wanted: Object, part: str) -> Object:
        """What would be stored: the system's fields kept, spec or status kept, defaults filled in, and checked."""
        obj = copy.deepcopy(conformed(request, resource, wanted))
        if part == "status":
            return {**current, "status": obj.get("status") or {}}
        metadata, have = obj["metadata"], current["metadata"]
        for field in _SYSTEM_FIELDS:
            metadata.pop(field, None)
            if field in have:
                metadata[field] = have[field]
        metadata["managedFields"] = have.get("managedFields")
        if not metadata["managedFields"]:
            del metadata["managedFields"]
        if resource.status_subresource:
            obj.pop("status", None)
            if "status" in current:
                obj["status"] = current["status"]
        apply_defaults(resource.key, obj)
        fill_in(schema_of(resource.custom), obj)
        if resource.key == "daemonsets.apps" and obj["spec"]["template"] != current["spec"]["template"]:
            note_template_generation(obj, current["metadata"]["generation"] + 1)
        if resource.key == "services":
            settle(obj, current)
        check_update(resource, obj, current)
        request.warnings.extend(warnings_of(resource.key, obj))
        if resource.key == "services":
            allocate(self._storage, obj, current, dry_run=request.dry_run)
        return _tidied(obj)

    def _store_update(self, request: Request, resource: Resource, current: Object, obj: Object) -> Object:
        # A copy: a write that changes nothing shares its metadata with the stored object.
        metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
        if request.dry_run:
            return self._storage.imagine(resource.key, {**obj, "metadata": metadata})
        stored = self._storage.update(resource.key, {**obj, "metadata": metadata})
        finish_if_done(self._storage, resource.key, stored)
        return stored

    def _create(self, request: Request, resource: Resource) -> tuple[int, Object]:
        call = request.call
        if call.name or (resource.namespaced and not call.namespace):
            raise errors.method_not_allowed()
        obj = request.object(resource.kind)
        check_kind(obj, resource)
        return 201, self.create(request, resource, obj)

    def create(self, request: Request, resource: Resource, obj: Object, *, operation: str = "Update") -> Object:
        """Stores a new object.

        Args:
            request: the request.
            resource: its resource.
            obj: the object, as sent.
            operation: "Apply" when it comes from server-side apply.

        Raises:
            StatusError: 404 without its namespace, 409 when it exists, 422 when it breaks rules.
        """
        obj = copy.deepcopy(conformed(request, resource, obj))
        metadata = own_metadata(obj, resource, request.call.namespace)
        if resource.namespaced:
            self._check_namespace(resource, metadata)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = self._storage.generated_name(metadata["generateName"])
        if resource.status_subresource:
            obj.pop("status", None)
        rules = _rules(resource, obj)
        declared = set(paths_of(obj, rules))
        apply_defaults(resource.key, obj)
        fill_in(schema_of(resource.custom), obj)
        filled_in = changed({}, {key: part for key, part in obj.items() if key != "status"}, rules)
        owned = declared if operation == "Apply" else filled_in
        if resource.key == "pods":
            pod_identity(self._storage, obj)
        protect(resource.key, metadata)
        check_create(resource, obj)
        request.warnings.extend(warnings_of(resource.key, obj))
        if resource.key == "jobs.batch":
            job_identity(obj, str(uuid.uuid4()) if request.dry_run else self._storage.uid())
        if resource.key == "daemonsets.apps":
            note_template_generation(obj, 1)
        if resource.key == "services":
            allocate(self._storage, obj, dry_run=request.dry_run)
        obj = _tidied(self._recorded(request, obj, owned, operation, ""))
        check_quota(self._storage, resource.key, obj)
        present = self._storage.get(resource.key, metadata.get("namespace", ""), metadata["name"])
        if present is not None:
            raise errors.already_exists(
                resource.key, metadata["name"], leaving="deletionTimestamp" in present["metadata"]
            )
        if request.dry_run:
            return self._imagined(resource, obj)
        return self._storage.create(resource.key, obj)

    def _imagined(self, resource: Resource, obj: Object) -> Object:
        """What a dry run shows: as if stored, but at no version."""
        created: Object = {"uid": str(uuid.uuid4()), "creationTimestamp": rfc3339(self._clock.now())}
        if resource.key not in WITHOUT_GENERATION:
            created["generation"] = 1
        return in_order({**obj, "metadata": {**created, **obj["metadata"]}})

    def _check_namespace(self, resource: Resource, metadata: Object) -> None:
        namespace = self._storage.get("namespaces", "", metadata["namespace"])
        if namespace is None:
            raise errors.not_found("namespaces", metadata["namespace"])
        if namespace["metadata"].get("deletionTimestamp"):
            name = metadata.get("name") or metadata.get("generateName", "")
            why = f"unable to create new content in namespace {metadata['namespace']} because it is being terminated"
            refused = errors.forbidden(resource.key, name, why)
            refused.details = (refused.details or {}) | {
                "causes": [
                    {
                        "reason": "NamespaceTerminating",
                        "message": f"namespace {metadata['namespace']} is being terminated",
                        "field": "metadata.namespace",
                    }
                ]
            }
            raise refused

    def _update(self, request: Request, resource: Resource) -> tuple[int, Object]:
        obj = request.object(resource.kind)
        check_kind(obj, resource)
        obj["metadata"] = obj.get("metadata") or {}
        check_place(obj, request, resource)
        current = self.current(request, resource)
        check_uid(obj, current, resource)
        if resource.custom is not None and not obj["metadata"].get("resourceVersion"):
            cause = errors.Cause(
                "FieldValueInvalid", "metadata.resourceVersion", "Invalid value: 0: must be specified for an update"
            )
            raise errors.invalid(resource.kind, request.call.name, [cause], group=resource.group)
        return 200, self.replace(request, resource, current, obj)

    def _patch(self, request: Request, resource: Resource) -> tuple[int, Object]:
        if request.content_type in APPLY_PATCHES:
            return self._apply(request, resource)
        current = self.current(request, resource)
        wanted = patched(request, current, resource)
        wanted["metadata"] = wanted.get("metadata") or {}
        check_place(wanted, request, resource)
        check_patched_identity(wanted, current, resource)
        return 200, self.replace(request, resource, current, wanted)

    def _apply(self, request: Request, resource: Resource) -> tuple[int, Object]:
        if not request.query.get("fieldManager"):
            cause = errors.required("fieldManager", "is required for apply patch")
            raise errors.invalid("PatchOptions", "", [cause], group="meta.k8s.io")
        declared = read_object(request.body, resource.kind, yaml=True)
        check_declaration(declared, resource)
        check_place(declared, request, resource)
        call = request.call
        current = self._storage.get(resource.key, call.namespace if resource.namespaced else "", call.name)
        uid, version = (declared["metadata"].get(field) for field in ("uid", "resourceVersion"))
        if current is None:
            if uid:
                why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                raise errors.conflict(resource.key, call.name, why)
            return 201, self.create(request, resource, declared, operation="Apply")
        if version and version != current["metadata"]["resourceVersion"]:
            raise errors.conflict(resource.key, call.name)
        force = request.query.get("force") in ("true", "1")
        rules = _rules(resource, current)
        merged, owned = apply(current, declared, manager=request.manager, force=force, rules=rules)
        check_patched_identity(merged, current, resource)
        merged["metadata"].pop("resourceVersion", None)
        obj = self._next_state(request, resource, current, merged, "")
        # What others own is either equal, and then shared, or was taken over by force.
        taken = (changed(current, obj, rules) | changed(current, merged, rules)) & owned
        obj = self._recorded(request, obj, owned, "Apply", "", taken, removed(current, obj, rules))
        if _same_but_for_times(obj, current):
            return 200, current
        return 200, self._store_update(request, resource, current, obj)

    def _delete(self, request: Request, resource: Resource) -> Object:
        options = read_delete_options(request)
        deletion = request_delete(
            self._storage,
            resource.key,
            request.call.namespace if resource.namespaced else "",
            request.call.name,
            propagation=options.propagation,
            grace_period=options.grace_period,
            preconditions=options.preconditions,
            dry_run=options.dry_run,
        )
        if not deletion.gone or resource.key in _SHOWN_WHEN_GONE:
            return deletion.object
        return errors.success(resource.key, request.call.name, deletion.object["metadata"]["uid"])

    def _delete_collection(self, request: Request, resource: Resource) -> Object:
        options, query = read_delete_options(request), request.query
        matches = object_predicate(resource.key, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        scope = request.call.namespace if resource.namespaced else ""
        found = [obj for obj in self._storage.list(resource.key, scope) if matches is None or matches(obj)]
        for obj in found:
            request_delete(
                self._storage,
                resource.key,
                obj["metadata"].get("namespace", ""),
                obj["metadata"]["name"],
                propagation=options.propagation,
                grace_period=options.grace_period,
                dry_run=options.dry_run,
            )
        return {
            "kind": resource.list_kind,
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": str(self._storage.version)},
            # Items of a list do not repeat its kind.
            "items": [{key: part for key, part in obj.items() if key not in _HEAD} for obj in found],
        }

    def _recorded(
        self,
        request: Request,
        obj: Object,
        owned: set[Path],
        operation: str,
        part: str,
        taken: set[Path] | None = None,
        gone: Set[Path] = frozenset(),
    ) -> Object:
        return record(
            obj,
            owned,
            taken=owned if taken is None else taken,
            manager=request.manager,
            operation=operation,
            subresource=part,
            time=rfc3339(self._clock.now()),
            gone=gone,
        )


def _rules(resource: Resource, obj: Object) -> Rules:
    return rules_of(obj, schema_of(resource.custom))


def _tidied(obj: Object) -> Object:
    """The object with its fields in the order the API server writes them, without empty metadata."""
    metadata = {key: value for key, value in obj["metadata"].items() if value not in (None, {}, [])}
    return in_order({**obj, "metadata": metadata})


def _same_but_for_times(after: Object, before: Object) -> bool:
    def timeless(obj: Object) -> Object:
        metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
        owners = metadata.get("managedFields") or ()
        metadata["managedFields"] = [{**owner, "time": None} for owner in owners]
        return {**obj, "metadata": metadata}

    return timeless(after) == timeless(before)
