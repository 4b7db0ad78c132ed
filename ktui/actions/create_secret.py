"""Create a Secret, as `kubectl create secret` does: generic, for an image registry, or for TLS.

What is secret is never in the kubectl line: a mask stands in its place.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence

from ktui.actions.action import Access, Action, Cluster, Refusal, Step, Target
from ktui.actions.creation import creation, meta, name_field, namespace_field, pairs, refused, text_of
from ktui.actions.form import ChoiceField, Form, TextField, Values
from ktui.actions.names import config_key, dns_subdomain
from ktui.kinds.generic import generic_kind
from ktui.kinds.manifest import MASK
from ktui.kinds.names import GVR

SECRETS = generic_kind(GVR("", "v1", "secrets"), "Secret", True)

GENERIC, REGISTRY, TLS = "generic", "docker-registry", "tls"
DOCKER_HUB = "https://index.docker.io/v1/"


def _is(what: str, name: str, label: str, help: str, **more: object) -> TextField:  # noqa: A002
    """A field for one type of secret."""
    return TextField(name=name, label=label, help=help, shown=lambda values: values.get("type") == what, **more)  # type: ignore[arg-type]


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form(
        (
            name_field(dns_subdomain),
            namespace_field(cluster, targets),
            ChoiceField(name="type", label="Type", help="What it is for.", choices=(GENERIC, REGISTRY, TLS)),
            _is(
                GENERIC, "literals", "Values", "A line each: KEY=VALUE.",
                lines=6, masked=True, check=refused(lambda text: _collected(pairs(text, secret=True))),
            ),
            _is(REGISTRY, "server", "Server", "The registry.", text=DOCKER_HUB, required=True),
            _is(REGISTRY, "username", "User", "Who signs in there.", required=True),
            _is(REGISTRY, "password", "Password", "Or a token.", masked=True, required=True),
            _is(REGISTRY, "email", "Email", "If the registry wants one."),
            _is(TLS, "cert", "Certificate", "In PEM, with those that signed it.", lines=6, required=True),
            _is(TLS, "key", "Private key", "In PEM.", lines=6, masked=True, required=True),
        )
    )  # fmt: skip


def _plan(target: Target, values: Values) -> Sequence[Step]:
    what = values.get("type") or GENERIC
    secret_type, data, words = _MADE[what](values)
    named = meta(values)
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": named, **({"type": secret_type} if secret_type else {})}
    if data:
        body["data"] = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return (creation(SECRETS, body, "create", "secret", what, named["name"], *words),)


_Parts = tuple[str, dict[str, str], list[str]]
"""The `type`, the data before it is encoded, and the rest of the kubectl line."""


def _generic(values: Values) -> _Parts:
    data = _collected(pairs(str(values.get("literals") or ""), secret=True))
    return "", data, [f"--from-literal={key}={MASK}" for key in data]


def _registry(values: Values) -> _Parts:
    server, username, email = (text_of(values, name) for name in ("server", "username", "email"))
    password = str(values.get("password") or "")
    if not (server and username and password):
        raise Refusal(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is "
            "required"
        )
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    entry = {"username": username, "password": password, **({"email": email} if email else {}), "auth": auth}
    words = [f"--docker-server={server}", f"--docker-username={username}", f"--docker-password={MASK}"]
    return (
        "kubernetes.io/dockerconfigjson",
        {".dockerconfigjson": _as_go_writes({"auths": {server: entry}})},
        [*words, *([f"--docker-email={email}"] if email else [])],
    )


def _tls(values: Values) -> _Parts:
    cert, key = (str(values.get(name) or "").strip() for name in ("cert", "key"))
    if not (cert and key):
        raise Refusal("key and cert must be specified")
    for what, text in (("certificate", cert), ("key", key)):
        # tls.X509KeyPair, which kubectl asks, looks further; a pair that does not match is refused by who uses it.
        if "-----BEGIN " not in text:
            raise Refusal(f"tls: failed to find any PEM data in {what} input")
    # The line names files, as the key must not stand in it.
    return (
        "kubernetes.io/tls",
        {"tls.crt": f"{cert}\n", "tls.key": f"{key}\n"},
        ["--cert=tls.crt", "--key=tls.key"],
    )


_MADE = {GENERIC: _generic, REGISTRY: _registry, TLS: _tls}


def _as_go_writes(value: object) -> str:
    """JSON as encoding/json writes it: without blanks, and safe in HTML."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.translate({ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


def _collected(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keys and values, each key once.

    Raises:
        Refusal: in the words of addKeyFromLiteralToSecret in kubectl.
    """
    data: dict[str, str] = {}
    for key, value in found:
        if wrong := config_key(key):
            raise Refusal(f'"{key}" is not valid key name for a Secret {wrong.replace("; ", ";")}')
        if key in data:
            raise Refusal(f"cannot add key {key}, another key by that name already exists")
        data[key] = value
    return data


CREATE_SECRET = Action(
    id="create-secret",
    key="e",
    title="Create secret",
    help="Make a secret: values, the sign-in to an image registry, or a certificate and its key.",
    plan=_plan,
    offers=lambda kind: kind.gvr == SECRETS.gvr,
    access=(Access("create", gvr=SECRETS.gvr),),
    form=_form,
    many=False,
    creates=True,
    done="Created",
)
