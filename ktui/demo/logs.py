"""What containers write: believable lines, the same for the same container and time."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from ktui.demo.clock import Clock, epoch_of, rfc3339
from ktui.demo.controllers.behaviour import behaviour_of
from ktui.demo.storage import Object

_MOST = 400  # lines kept per container, as if the node had rotated the rest away
_EVERY = 3.0  # seconds between lines, on average

_PATHS = (
    "/",
    "/healthz",
    "/cart",
    "/cart/items",
    "/products",
    "/products/4711",
    "/checkout",
    "/search?q=socks",
    "/api/orders",
)
_ENDINGS: dict[str, tuple[str, ...]] = {
    "crash": (
        'level=info msg="loading index" path=/var/lib/search/index',
        'level=error msg="index is corrupt" segment=17 expected=9f3c got=0000',
        "panic: cannot open index: segment 17: checksum mismatch",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/src/cmd/search/main.go:42 +0x1d4",
    ),
    "oom": ('level=warn msg="cache grows" entries=1048576', 'level=warn msg="allocation is slow" took=412ms'),
    "complete": ('level=info msg="report written" orders=1284 took=17.2s', 'level=info msg="done"'),
}


class Logs:
    """Containers' logs.

    Args:
        clock: Until when there are lines.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def lines(self, pod: Object, container: str, *, previous: bool = False) -> Sequence[tuple[float, str]]:
        """Returns the lines a container wrote so far: seconds since the epoch, and text without its line end.

        Args:
            pod: The pod.
            container: The name of one of its containers.
            previous: Whether those of its last run are asked for.
        """
        span = self._span(pod, container, previous=previous)
        if span is None:
            return ()
        start, end, ended = span
        first = f'level=info msg="starting" container={container} version={_version(pod, container)}'
        written = [(start, first), (start + 0.4, 'level=info msg="listening" address=:8080')]
        ending = _ENDINGS.get(behaviour_of(pod).name, ()) if ended else ()
        # Each second of the clock has its own chance, so that lines stay when more follow.
        oldest = max(start + 1, end - _MOST * _EVERY)
        identity = f"{pod['metadata']['uid']}/{container}"
        for second in range(int(oldest), int(end)):
            moment = Random(f"{identity}/{second}")
            if moment.random() < 1 / _EVERY:
                written.append((second + moment.random() * 0.99, _request(moment, second)))
        written += [(end - 0.1 + 0.01 * number, line) for number, line in enumerate(ending)]
        return written

    def _span(self, pod: Object, container: str, *, previous: bool) -> tuple[float, float, bool] | None:
        """Returns from when until when a container wrote, and whether it ended then; None when it never ran."""
        status = pod.get("status") or {}
        every = (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ()))
        found = next((one for one in every if one["name"] == container), None)
        if found is None:
            return None
        state = found["lastState"] if previous else found["state"]
        if not previous and "waiting" in state:
            state = found["lastState"]  # as the kubelet does between two runs
        if "running" in state:
            return epoch_of(state["running"]["startedAt"]), self._clock.now(), False
        if "terminated" in state:
            ended = state["terminated"]
            return epoch_of(ended["startedAt"]), epoch_of(ended["finishedAt"]), True
        return None


def _version(pod: Object, container: str) -> str:
    every = (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ()))
    image: str = next((one["image"] for one in every if one["name"] == container), "")
    return image.rpartition(":")[2]


def _request(chance: Random, second: int) -> str:
    path = chance.choice(_PATHS)
    took = chance.expovariate(1 / 14)
    code = 200 if chance.random() < 0.96 else chance.choice((304, 404, 503))
    level = "warn" if code == 503 else "info"
    client = f"10.244.{chance.randrange(4)}.{chance.randrange(2, 250)}"
    return f'time={rfc3339(second)} level={level} msg="{path}" status={code} took={took:.1f}ms client={client}'
