"""Subresources: status, scale, log, eviction, binding, finalize."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from ktui.demo import errors
from ktui.demo.accept import negotiate
from ktui.demo.binding import bind
from ktui.demo.clock import Clock, epoch_of, rfc3339
from ktui.demo.deletion import finish_if_done
from ktui.demo.eviction import evict
from ktui.demo.incoming import check_kind, check_place, check_uid
from ktui.demo.representations import encode
from ktui.demo.request import Reply, Request, Stream, read_object
from ktui.demo.resources import SCALE, SUBRESOURCES, Resource
from ktui.demo.router import is_true
from ktui.demo.scale import scale_of, scaled
from ktui.demo.sources import Logs
from ktui.demo.storage import Storage
from ktui.demo.wanted import APPLY_PATCHES, conformed, patched
from ktui.demo.writes import Writes

Object = dict[str, Any]

_TEXT = "text/plain; charset=utf-8"
_FOLLOW_SECONDS = 1.0


class Subresources:
    """Answers requests for subresources.

    Args:
        storage: where objects are.
        clock: for times.
        writes: does the writing.
        logs: where containers' logs come from.
    """

    def __init__(self, storage: Storage, clock: Clock, writes: Writes, logs: Logs) -> None:
        self._storage = storage
        self._clock = clock
        self._writes = writes
        self._logs = logs

    async def answer(self, request: Request, resource: Resource) -> Reply | Stream:
        """Answers a request.

        Raises:
            StatusError: whatever is wrong with it.
        """
        name, verb = request.call.subresource, request.call.verb
        if name not in resource.subresources:
            if resource.key == "pods" and name in ("exec", "attach", "portforward"):
                raise errors.bad_request("Upgrade request required")
            raise errors.no_such_resource()
        if verb not in SUBRESOURCES[name][2]:
            raise errors.method_not_allowed()
        if name == "log":
            return self._log(request, resource)
        if verb != "get":
            request.check_write_options()
        if name == "eviction":
            return self._evict(request, resource)
        if name == "binding":
            return self._bind(request, resource)
        if name == "scale":
            return Reply(encode(self._scale(request, resource)))
        if name == "finalize":
            return Reply(encode(self._finalize(request, resource)))
        return Reply(encode(self._status(request, resource)))

    def _status(self, request: Request, resource: Resource) -> Object:
        current = self._writes.current(request, resource)
        if request.call.verb == "get":
            negotiate(request.accept, listing=False)
            return current
        wanted = self._wanted(request, resource, current)
        return self._writes.replace(request, resource, current, wanted, part="status")

    def _wanted(self, request: Request, resource: Resource, current: Object) -> Object:
        if request.call.verb == "patch":
            return patched(request, current, resource)
        wanted = request.object(resource.kind)
        check_kind(wanted, resource)
        wanted["metadata"] = wanted.get("metadata") or {}
        check_place(wanted, request, resource)
        check_uid(wanted, current, resource)
        return wanted

    def _scale(self, request: Request, resource: Resource) -> Object:
        current = self._writes.current(request, resource)
        shown = scale_of(resource, current)
        if request.call.verb == "get":
            return shown
        wanted = conformed(request, SCALE, self._wanted_scale(request, resource, shown))
        obj = scaled(resource, current, wanted)
        return scale_of(resource, self._writes.replace(request, resource, current, obj, part="scale"))

    def _wanted_scale(self, request: Request, resource: Resource, shown: Object) -> Object:
        if request.call.verb != "patch":
            return request.object("Scale")
        if request.content_type in APPLY_PATCHES:
            return {**shown, "spec": read_object(request.body, "Scale", yaml=True).get("spec") or {}}
        return patched(request, shown, resource)

    def _finalize(self, request: Request, resource: Resource) -> Object:
        current = self._writes.current(request, resource)
        wanted = request.object(resource.kind)
        finalizers = (wanted.get("spec") or {}).get("finalizers") or []
        spec = {**current.get("spec", {}), "finalizers": finalizers}
        if not finalizers:
            del spec["finalizers"]
        stored = self._storage.update(resource.key, {**current, "spec": spec})
        finish_if_done(self._storage, resource.key, stored)
        return stored

    def _evict(self, request: Request, resource: Resource) -> Reply:
        pod = self._writes.current(request, resource)
        evict(self._storage, pod, request.object("Eviction"), dry_run=request.dry_run)
        return _done()

    def _bind(self, request: Request, resource: Resource) -> Reply:
        pod = self._writes.current(request, resource)
        bind(self._storage, pod, request.object("Binding"), dry_run=request.dry_run)
        return _done()

    def _log(self, request: Request, resource: Resource) -> Reply | Stream:
        pod = self._writes.current(request, resource)
        query = request.query
        container = _container(pod, query.get("container", ""))
        previous = is_true(query.get("previous", "false"))
        _check_started(pod, container, previous)
        timestamps = is_true(query.get("timestamps", "false"))
        lines = list(self._logs.lines(pod, container, previous=previous))
        since = _since(query.get("sinceSeconds"), query.get("sinceTime"), self._clock.now())
        lines = [line for line in lines if line[0] >= since]
        if query.get("tailLines"):
            tail = int(query["tailLines"])
            lines = lines[-tail:] if tail else []
        text = b"".join(_line(line, timestamps) for line in lines)
        if query.get("limitBytes"):
            text = text[: int(query["limitBytes"])]
        if not is_true(query.get("follow", "false")) or previous:
            return Reply(text, content_type="text/plain")
        last = lines[-1][0] if lines else self._clock.now()
        return Stream(self._follow(pod, container, text, last, timestamps), "text/plain")

    async def _follow(
        self, pod: Object, container: str, text: bytes, last: float, timestamps: bool
    ) -> AsyncGenerator[bytes, None]:
        """What is there, then what is written, until the container or its pod ends."""
        metadata = pod["metadata"]
        yield text
        while True:
            current = self._storage.get("pods", metadata["namespace"], metadata["name"])
            if current is None or current["metadata"]["uid"] != metadata["uid"]:
                return
            fresh = [line for line in self._logs.lines(current, container) if line[0] > last]
            if fresh:
                last = fresh[-1][0]
                yield b"".join(_line(line, timestamps) for line in fresh)
            if "terminated" in _state(current, container):
                return
            await asyncio.sleep(_FOLLOW_SECONDS)


def _done() -> Reply:
    done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return Reply(encode(done), 201)


def _line(line: tuple[float, str], timestamps: bool) -> bytes:
    if not timestamps:
        return f"{line[1]}\n".encode()
    whole, rest = divmod(line[0], 1)
    return f"{rfc3339(whole)[:-1]}.{int(rest * 1e9):09d}Z {line[1]}\n".encode()


def _container(pod: Object, asked: str) -> str:
    spec, name = pod["spec"], pod["metadata"]["name"]
    main = [container["name"] for container in spec.get("containers") or ()]
    inits = [container["name"] for container in spec.get("initContainers") or ()]
    if asked:
        if asked not in (*main, *inits):
            raise errors.bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(main) != 1:
        choice = f", choose one of: [{' '.join(main)}]"
        also = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
        raise errors.bad_request(f"a container name must be specified for pod {name}{choice}{also}")
    return str(main[0])


def _state(pod: Object, container: str) -> Object:
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses"):
        for entry in status.get(field) or ():
            if entry["name"] == container:
                return dict(entry.get("state") or {}) | {"last": entry.get("lastState") or {}}
    return {}


def _check_started(pod: Object, container: str, previous: bool) -> None:
    name, state = pod["metadata"]["name"], _state(pod, container)
    if previous:
        if not (state.get("last") or {}).get("terminated"):
            raise errors.bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        return
    waiting = state.get("waiting")
    if waiting is not None and not (state.get("last") or {}).get("terminated"):
        reason = waiting.get("reason", "")
        why = "trying and failing to pull image" if reason in ("ErrImagePull", "ImagePullBackOff") else reason
        verb = "is waiting to start"
        raise errors.bad_request(f'container "{container}" in pod "{name}" {verb}: {why}')


def _since(seconds: str | None, time: str | None, now: float) -> float:
    if seconds:
        return now - int(seconds)
    return epoch_of(time) if time else 0.0
