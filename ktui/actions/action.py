"""Action: something a person can do to objects of a cluster, as one value.

One `Action` gives the key, its footer hint, the line in the actions menu, the palette and the help, whether it may be
done and why not, the form, what is said before it is done, the writes, the kubectl line, and what can come back
afterwards. An action is a file of this folder and a line of `registry.py`; nothing else names it.

What happens, in this order:

1. `offers` (a kind's traits) and `access` (RBAC) decide whether it is offered.
2. `form` reads what it needs of the cluster, and says what to ask.
3. `plan` makes the writes of one target from what was filled in, purely. It raises `Refusal` for what cannot be done.
4. `weigh` finds out what else will happen, to be said beside a dry run of those writes.
5. The writes are made, and kept in the journal, with what undoes them.
6. `follow` tells how it goes on, until it has come to its end.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Protocol

from ktui.actions.form import Form, Values
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.tone import Tone
from ktui.kube.discovery import Discovery
from ktui.kube.errors import KtuiError

JsonObject = dict[str, Any]

FIELD_MANAGER = "ktui"
"""By which the server knows who changed a field. Source:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers"""

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class Refusal(KtuiError):  # noqa: N818 - named as those of errors.py
    """An action cannot be done as it was asked for; worded as kubectl words it, where kubectl refuses it too."""


@dataclass(frozen=True)
class Target:
    """An object to act on; for what creates objects, the place where they are to be.

    Attributes:
        kind: its kind.
        key: its namespace and name; of a place, the name is empty, and so is the namespace when none was chosen.
        uid: the UID of the object that the person saw; empty when unknown.
        item: the whole object as it was read when the action began; None until then, and of a place.
    """

    kind: Kind
    key: ObjectKey
    uid: str = ""
    item: JsonObject | None = field(default=None, compare=False)

    @property
    def live(self) -> JsonObject:
        """The whole object.

        Raises:
            Refusal: it has not been read.
        """
        if self.item is None:
            raise Refusal(f"{self.said} has not been read yet.", "Try again in a moment.")
        return self.item

    @property
    def said(self) -> str:
        """How it is called in a sentence: `deployment shop/web`."""
        return f"{self.kind.singular} {self.key}"

    def read(self, item: JsonObject) -> Target:
        """The same with its object."""
        return replace(self, item=item)


class Cluster(Protocol):
    """What actions may ask of a cluster. Every method raises KtuiError when it cannot be answered."""

    @property
    def context(self) -> str:
        """The name of the kubeconfig context."""

    @property
    def namespace(self) -> str:
        """The namespace of the kubeconfig context, `default` where it names none."""

    @property
    def now(self) -> float:
        """Epoch seconds."""

    async def discovery(self, *, anew: bool = False) -> Discovery:
        """What the server serves; asked again when something may have been installed since."""

    async def get(self, gvr: GVR, key: ObjectKey, subresource: str = "") -> JsonObject:
        """One object."""

    async def objects(self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """Some objects; of all namespaces when none is given."""

    def watch(self, gvr: GVR, key: ObjectKey) -> AsyncGenerator[JsonObject | None, None]:
        """One object as it is now, and again whenever it has changed; None while there is none of that name.

        It never ends by itself: outages are waited for.
        """

    def watch_all(
        self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[list[JsonObject], None]:
        """All these objects as they are now, and again whenever one has changed; never ends by itself."""


@dataclass(frozen=True)
class Write:
    """One request that changes something.

    Attributes:
        method: POST, PUT, PATCH or DELETE.
        path: as `GVR.path` makes it.
        body: what is sent, as JSON; None for nothing.
        content_type: of the body; for PATCH the type of patch.
        query: parameters besides `fieldManager`, `fieldValidation` and `dryRun`, which are added.
    """

    method: str
    path: str
    body: Any = None
    content_type: str = JSON
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """A write, and what is said and kept of it.

    Attributes:
        target: what it changes, or makes; of what it makes, `item` is None.
        write: the request.
        kubectl: the words of the kubectl line that does the same, from `kubectl` on, without `--context`. Where text
            goes to standard input, as for `kubectl create -f -`, `stdin` has it.
        stdin: see `kubectl`.
        shown: the object that will be sent, to be shown as YAML; None to show the difference that a dry run makes.
        undone: what undoes it; see `Undone`.
        previewed: whether a dry run says anything; not of steps that depend on what an earlier one makes.
        tried: what is sent as the dry run instead of `write`; None for `write` itself.
        wanted: what the object shall be; what a dry run makes beyond that, is shown apart. None to show all alike.
        settled: of the object as it is (None when there is none), what is waited for before the next step, one phrase;
            empty when the wait is over. None for steps after which nothing is waited for.
        awaited: of which object that is; None for `target`.
        needs: the objects without which it makes no sense to do it. None for all that come before it.
        advice: what to do when it fails, where an earlier step has been done; empty for what the error advises.
    """

    target: Target
    write: Write
    kubectl: tuple[str, ...]
    stdin: str = ""
    shown: JsonObject | None = None
    undone: Undone | None = None
    previewed: bool = True
    tried: Write | None = None
    wanted: JsonObject | None = None
    settled: Callable[[JsonObject | None], str] | None = None
    awaited: Target | None = None
    needs: tuple[Target, ...] | None = None
    advice: str = ""


class Undone(Enum):
    """How a step can be undone."""

    NEVER = auto()
    """It cannot: an eviction, a restart of pods."""
    PATCH = auto()
    """The fields that it changed get their values of before, by a JSON patch that tests nobody changed them since."""
    SCALE = auto()
    """As PATCH, through the `scale` subresource."""
    DELETE = auto()
    """What was created is deleted, unless it was changed since."""
    CREATE = auto()
    """What was deleted is created again, as far as Kubernetes allows."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that belongs to an action: a consequence, a caution, a fact, a line of progress.

    Attributes:
        text: the sentence; need not be safe to show, whoever shows it cleans it.
        tone: how it is marked.
        about: what it is about, where one line stands for each of several things, such as the pods of a node that is
            drained; a later sentence about the same takes the place of the earlier one. Empty for the target itself.
    """

    text: str
    tone: Tone = Tone.PLAIN
    about: str = ""


class Doing(Protocol):
    """An action on one target while it is followed."""

    @property
    def cluster(self) -> Cluster:
        """Where."""

    @property
    def target(self) -> Target:
        """On what, as it was before."""

    @property
    def values(self) -> Values:
        """What the form was filled with."""

    @property
    def results(self) -> Sequence[JsonObject]:
        """What the server answered to each step."""

    async def write(self, step: Step) -> JsonObject:
        """Do one more step, which is kept in the journal as the others.

        Raises:
            KtuiError: it failed; that is in the journal too.
        """


@dataclass(frozen=True, slots=True)
class Access:
    """A right that an action needs.

    Attributes:
        verb: `patch`, `delete`, `create` ...
        subresource: `scale`, `eviction` ... or empty.
        gvr: of what; None for the target's own kind.
    """

    verb: str
    subresource: str = ""
    gvr: GVR | None = None


class Asks(Enum):
    """How an action makes sure that it is wanted."""

    NOTHING = auto()
    """The form, or the preview, is enough: Enter does it."""
    CONFIRM = auto()
    """It has consequences that are not undone by a key: the keyboard is on Cancel."""
    NAME = auto()
    """The name of the object, or how many they are, is typed."""


async def _no_form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form()


async def _nothing_said(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    return ()


def _anything(target: Target) -> str:
    return ""


def _asks_nothing(targets: Sequence[Target], values: Values) -> Asks:
    return Asks.NOTHING


@dataclass(frozen=True, kw_only=True)
class Action:
    """See the module.

    Attributes:
        id: one word, `scale`.
        key: that does it, as Textual names keys: `s`, `ctrl+d`. In the actions menu too.
        title: what the footer and the dialog's button call it: `Scale`.
        help: what it does, one sentence.
        plan: the steps for one target, in their order, from what the form was filled with. Pure. A step that is sent
            although nothing would change is left out by the plan, or refused in kubectl's words (`... not labeled`).
        offers: whether objects of a kind can have it done at all; by traits, or by what every kind has.
        access: rights it needs.
        form: what to ask; may read the cluster.
        weigh: what else will happen: consequences, cautions, what protects. May read the cluster; what it cannot read,
            it says. Called again whenever the form has changed.
        asks: how it makes sure.
        follow: how it goes on after the last step, until it has come to its end; None when there is nothing to follow.
        ready: why it makes no sense for an object as its row shows it (`already cordoned`), one phrase; empty when it
            does. Must not need `target.item`, which may be None.
        many: whether several objects can be acted on at once.
        creates: whether it makes something new, and its target is a place.
        direct: whether its key works on pages too, and not in the actions menu only.
        written: whether it is a text to be written, for which there is a page in the place of the dialog.
        footer: whether the footer of a page shows its key, when it is direct; there is not room for all.
        done: the word for it when it is done, `Scaled`.
    """

    id: str
    key: str
    title: str
    help: str
    plan: Callable[[Target, Values], Sequence[Step]]
    offers: Callable[[Kind], bool]
    access: tuple[Access, ...] = ()
    form: Callable[[Cluster, Sequence[Target]], Awaitable[Form]] = _no_form
    weigh: Callable[[Cluster, Sequence[Target], Values], Awaitable[Sequence[Said]]] = _nothing_said
    asks: Callable[[Sequence[Target], Values], Asks] = _asks_nothing
    follow: Callable[[Doing], AsyncGenerator[Said, None]] | None = None
    ready: Callable[[Target], str] = _anything
    many: bool = True
    creates: bool = False
    direct: bool = False
    written: bool = False
    footer: bool = True
    done: str = "Done"
