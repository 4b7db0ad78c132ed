"""The kubeconfig as kubectl reads it: files merged into one value. Pure and fast; nothing is ever written.

Several files of $KUBECONFIG are merged so that the first one that sets the current context, or defines a context,
cluster or user of some name, wins as a whole. Missing and empty files are skipped. Relative paths are relative to the
file that names them.

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
and k8s.io/client-go/tools/clientcmd.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from ktui.kube.errors import ConfigError
from ktui.kube.kubeconfig_entries import Cluster, Context, Section, User, read_cluster, read_context, read_user
from ktui.kube.kubeconfig_files import kubeconfig_paths

IN_CLUSTER: Final = "in-cluster"
"""The name of the context, cluster and user of a pod's own service account."""

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_Entry = TypeVar("_Entry", Context, Cluster, User)


@dataclass(frozen=True, slots=True)
class Target:
    """A context with what it names: all that is needed to connect."""

    context: Context
    cluster: Cluster
    user: User


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """All contexts, clusters and users, merged; in the order of the files.

    Attributes:
        contexts: by name.
        clusters: by name.
        users: by name.
        current: the current context's name; empty when no file sets one.
        files: the files that were read, in order.
        looked_at: the files that were looked for, for messages.
    """

    contexts: Mapping[str, Context] = field(default_factory=dict)
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    current: str = ""
    files: tuple[Path, ...] = ()
    looked_at: tuple[Path, ...] = ()

    def target(self, context: str | None = None) -> Target:
        """The context of that name with its cluster and user.

        Args:
            context: a context's name; None for the current one.

        Raises:
            ConfigError: there is no such context, or it names a cluster or user that does not exist.
        """
        chosen = self._context(self.current if context is None else context)
        cluster = self.clusters.get(chosen.cluster)
        if cluster is None:
            raise ConfigError(
                f"Context {chosen.name!r} names cluster {chosen.cluster!r}, which no kubeconfig file defines.",
                f"Correct it in {_short(chosen.origin)}, or choose another context.",
            )
        if not cluster.server:
            raise ConfigError(
                f"Cluster {cluster.name!r} has no server address.", f"Add `server` in {_short(cluster.origin)}."
            )
        # A context without user is anonymous; one with an unknown user is a mistake, as it is for kubectl.
        user = self.users.get(chosen.user) if chosen.user else User(name="", origin=chosen.origin)
        if user is None:
            raise ConfigError(
                f"Context {chosen.name!r} names user {chosen.user!r}, which no kubeconfig file defines.",
                f"Correct it in {_short(chosen.origin)}, or choose another context.",
            )
        return Target(chosen, cluster, user)

    def _context(self, name: str) -> Context:
        if name in self.contexts:
            return self.contexts[name]
        if not self.contexts:
            looked = ", ".join(_short(path) for path in self.looked_at) or "any kubeconfig"
            raise ConfigError(
                f"No context is defined in {looked}.",
                "Set KUBECONFIG or use --kubeconfig; `ktui --demo` needs no cluster at all.",
            )
        names = ", ".join(list(self.contexts)[:10]) + (" …" if len(self.contexts) > 10 else "")
        if name:
            raise ConfigError(f"There is no context {name!r} in the kubeconfig.", f"The contexts are: {names}.")
        raise ConfigError("The kubeconfig has no current context.", f"Choose one with --context; there are: {names}.")


def load_kubeconfig(
    paths: Sequence[Path | str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Kubeconfig:
    """Read and merge kubeconfig files.

    Args:
        paths: files named by the user, which must exist (--kubeconfig); None for the usual ones, which need not. With
            None, a pod's own service account is used when there is no context at all.
        environ: the process's environment.
        service_account: the folder where a pod finds its token, CA and namespace.

    Raises:
        ConfigError: a file cannot be read or is no kubeconfig; the sentence says which, never what is in it.
    """
    looked_at = tuple(Path(path).expanduser() for path in paths) if paths is not None else kubeconfig_paths(environ)
    try:
        merged = _merged(looked_at, required=paths is not None)
    except ConfigError as error:
        # The frames below hold credentials, and crash reports show variables: they end here.
        raise error.with_traceback(None) from None
    if paths is None and not merged.contexts and not merged.clusters:
        return _in_cluster(environ, service_account) or merged
    return merged


def _merged(looked_at: tuple[Path, ...], *, required: bool) -> Kubeconfig:
    """The content of all files."""
    contexts: dict[str, Context] = {}
    clusters: dict[str, Cluster] = {}
    users: dict[str, User] = {}
    current, files = "", []
    for path in looked_at:
        if (document := _read(path, required=required)) is None:
            continue
        files.append(path)
        root = Section(document, path)
        current = current or root.text("current-context")
        _merge(contexts, root, "contexts", "context", read_context)
        _merge(clusters, root, "clusters", "cluster", read_cluster)
        _merge(users, root, "users", "user", read_user)
    return Kubeconfig(contexts, clusters, users, current, tuple(files), looked_at)


def _merge(into: dict[str, _Entry], root: Section, plural: str, singular: str, read: Any) -> None:
    """Add a file's named entries that no earlier file has."""
    here: set[str] = set()
    for named in root.sections(plural):
        if (name := named.text("name")) in here:
            raise ConfigError(f"{_short(root.origin)} defines {singular} {name!r} twice.", "Remove one of the two.")
        here.add(name)
        if name not in into:
            into[name] = read(name, named.section(singular))


class _Plain(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A YAML loader that keeps every scalar but null as text: a token 0123 or a name 1e3 is no number here."""


_Plain.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [(tag, expression) for tag, expression in resolvers if tag.endswith((":null", ":merge"))])
}


def _read(path: Path, *, required: bool) -> dict[str, Any] | None:
    """The document in `path`; None when it is missing (and need not be there) or empty."""
    problem = "is no kubeconfig"
    try:
        document = yaml.load(path.read_bytes(), _Plain)
    except FileNotFoundError:
        if not required:
            return None
        raise ConfigError(f"There is no kubeconfig {_short(path)}.", "Check the path given to --kubeconfig.") from None
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or 'input error').lower()})"
    except yaml.YAMLError as error:
        # Only the place is told: the parser's own words quote the file, which holds credentials.
        mark = getattr(error, "problem_mark", None)
        problem = f"is not valid YAML (line {mark.line + 1})" if mark else "is not valid YAML"
    else:
        if document is None:
            return None
        if isinstance(document, dict):
            return document
    raise ConfigError(
        f"The kubeconfig {_short(path)} {problem}.", "Correct the file, or name another with --kubeconfig."
    )


def _in_cluster(environ: Mapping[str, str], folder: Path) -> Kubeconfig | None:
    """What a pod knows of its own cluster, or None outside of one.

    Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    token, authority, namespace = folder / "token", folder / "ca.crt", folder / "namespace"
    if not host or not port or not token.is_file():
        return None
    where = f"[{host}]" if ":" in host else host
    inside = namespace.read_text().strip() if namespace.is_file() else ""
    return Kubeconfig(
        {IN_CLUSTER: Context(IN_CLUSTER, token, cluster=IN_CLUSTER, user=IN_CLUSTER, namespace=inside or "default")},
        {IN_CLUSTER: Cluster(IN_CLUSTER, token, server=f"https://{where}:{port}", authority=authority)},
        {IN_CLUSTER: User(IN_CLUSTER, token, token_file=token)},
        IN_CLUSTER,
        looked_at=(folder,),
    )


def _short(path: Path) -> str:
    """A path as people write it, with ~ for the home folder."""
    text, home = str(path), str(Path.home())
    return "~" + text[len(home) :] if text.startswith(home + os.sep) else text
