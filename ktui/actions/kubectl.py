"""The kubectl line that does the same as an action, as words; `shell_line` makes one line of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey


def resource_word(gvr: GVR) -> str:
    """The name under which kubectl finds a resource: `pods`, `deployments`, `widgets.shop.example.com`.

    Kubernetes' own groups come first in kubectl's search, so their plain plural is enough; a custom resource's may be
    some other kind's name, too.
    """
    own = "." not in gvr.group or gvr.group.endswith(".k8s.io")
    return gvr.resource if own and gvr.group != "metrics.k8s.io" else gvr.qualified


def in_namespace(key: ObjectKey) -> list[str]:
    """The words that name a namespace: `-n shop`; none for what is in none."""
    return ["-n", key.namespace] if key.namespace else []


def kubectl(words: Sequence[str], kind: Kind, key: ObjectKey, *more: str) -> tuple[str, ...]:
    """A line about one object.

    Args:
        words: the verb: `["rollout", "restart"]`.
        kind: the object's kind.
        key: its namespace and name.
        more: what follows the object: `--replicas=3`.

    Returns:
        `kubectl -n shop rollout restart deployments web …`, the resource and the name as two words, so that no name is
        taken for something else.
    """
    return ("kubectl", *in_namespace(key), *words, resource_word(kind.gvr), key.name, *more)


def shell_line(words: Sequence[str], context: str = "", stdin: str = "") -> str:
    """Words as one line for a shell, quoted.

    Args:
        words: from `kubectl` on.
        context: the kubeconfig context; empty for the one in use by default.
        stdin: a text for standard input, as a here-document.
    """
    first, *rest = words
    line = shlex.join([first, *(["--context", context] if context else []), *rest])
    if not stdin:
        return line
    end = "EOF"
    while end in stdin.splitlines():
        end += "_"
    return f"{line} <<'{end}'\n{stdin.rstrip()}\n{end}"
