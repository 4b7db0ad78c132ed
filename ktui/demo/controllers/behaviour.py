"""How a pod behaves once it runs: the annotation `demo.ktui.dev/behaviour` on a pod (or its template).

The value is `NAME` or `NAME=SECONDS`:

    crash=8         the first container exits with code 1 after 8 s, again and again
    oom=20          the same, killed for using too much memory (exit code 137, OOMKilled)
    complete=20     the first container exits with code 0 after 20 s
    flaky-probe=60  siblings take turns of 60 s in failing their readiness probe
    slow-start=25   it takes 25 s after its start until the pod is ready
    slow-stop=12    it takes 12 s to stop
    image-pull      its image cannot be pulled
    static          nothing happens to it but deletion

Without it, a pod runs and becomes ready; if its restartPolicy is not Always, it completes after 5 s. One whose
command is `false` (or a shell's `exit 1`) fails, as it would anywhere, and `true` completes at once. Images that name
a registry under `.invalid`, or whose tag is `does-not-exist`, cannot be pulled.
"""

from __future__ import annotations

from dataclasses import dataclass

from ktui.demo.storage import Object

ANNOTATION = "demo.ktui.dev/behaviour"

_USUAL_SECONDS = {
    "crash": 8.0,
    "oom": 20.0,
    "complete": 20.0,
    "flaky-probe": 60.0,
    "slow-start": 25.0,
    "slow-stop": 12.0,
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a pod does.

    Attributes:
        name: One of the names above, or empty.
        seconds: Its duration.
    """

    name: str = ""
    seconds: float = 0.0


_COMMANDS = {
    "false": Behaviour("crash", 0.2),
    "exit 1": Behaviour("crash", 0.2),
    "true": Behaviour("complete", 0.2),
}


def behaviour_of(pod: Object) -> Behaviour:
    """Reads a pod's behaviour; an unreadable one counts as none."""
    written = (pod["metadata"].get("annotations") or {}).get(ANNOTATION, "")
    name, _, seconds = written.partition("=")
    if not name:
        command = [word for field in ("command", "args") for word in pod["spec"]["containers"][0].get(field) or ()]
        if command and command[-1].rpartition("/")[2] in _COMMANDS:
            return _COMMANDS[command[-1].rpartition("/")[2]]
        if pod["spec"].get("restartPolicy", "Always") != "Always":
            return Behaviour("complete", 5.0)
        return Behaviour()
    usual = _USUAL_SECONDS.get(name, 0.0)
    return Behaviour(name, float(seconds) if seconds.replace(".", "", 1).isdigit() else usual)


def can_be_pulled(image: str) -> bool:
    """Says whether an image exists, as far as its name tells."""
    registry = image.partition("/")[0].partition(":")[0]
    return not registry.endswith(".invalid") and not image.endswith(":does-not-exist")
