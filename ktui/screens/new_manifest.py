"""NewManifestScreen: manifests of objects that are to be there: one or several, from a skeleton or from a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from ktui.actions.action import Action, Refusal, Target
from ktui.actions.apply_manifest import apply_manifest_action
from ktui.actions.create_from_yaml import creating
from ktui.actions.documents import Part, items, parts
from ktui.actions.drafts import DraftFile
from ktui.actions.edit import blames_the_text
from ktui.actions.server_side_apply import ManagerConflicts, manager_conflicts
from ktui.actions.undertaking import Stage, Undertaking
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.namespaces import NAMESPACES
from ktui.kinds.text import clean
from ktui.kube.errors import AlreadyExists, ApiError, KtuiError
from ktui.manifests.applied import ManagerConflict
from ktui.manifests.problems import Problem
from ktui.manifests.reading import Document, Reading
from ktui.manifests.referring import CLUSTER_SCOPED
from ktui.manifests.refused import problems_of
from ktui.manifests.skeletons import NAME, SKELETONS, skeleton
from ktui.manifests.snippets import Edit
from ktui.screens.editing import EditingScreen
from ktui.screens.text_files import file_of, read_text
from ktui.widgets.bar import Part as Bit

if TYPE_CHECKING:
    from ktui.acts import Acts

# Whatever says that it is a Secret, in YAML or JSON, at the top or in a list.
_SECRET = re.compile(r"""^[\s{-]*["']?kind["']?\s*:\s*["']?Secret\b|["']kind["']\s*:\s*["']Secret\b""", re.MULTILINE)


class NewManifestScreen(EditingScreen):
    """An editor for objects that are to be created, or applied where they are there already.

    Args:
        acts: the cluster, and what applies changes.
        namespace: where objects are made that do not say it; that of the context when empty.
        kind: what is begun with; None for a Deployment.
        file: what is opened instead; None for none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "mode", "Mode", show=False, priority=True, tooltip="Change what is there already, or refuse to."),
        Binding("alt+o", "open", "Open a file", show=False, priority=True, tooltip="Edit a file's manifests."),
    ]

    def __init__(self, acts: Acts, namespace: str, *, kind: Kind | None = None, file: Path | None = None) -> None:
        super().__init__(acts)
        self._namespace = namespace
        self._kind = kind
        self._file = file
        self._applies = True
        self._undertaking: Undertaking | None = None

    @property
    def namespace(self) -> str:
        """Where objects are that do not say it."""
        return self._namespace or super().namespace

    def on_mount(self) -> None:
        """Begin with a skeleton, or with the file."""
        self._begin()

    @work(group="open", exit_on_error=False)
    async def _begin(self) -> None:
        if self._file is not None:
            await self._read_file(self._file)
            return
        identity = self._acts.place.client.identity
        self._draft = DraftFile(identity.server, identity.context, GVR("", "", "new"), ObjectKey("", ""))
        text = self._skeleton()
        self.editor.read_only = False
        self.load(text)
        draft = await self.offer_draft("a new manifest")
        if draft is not None:
            self.load(draft.text, original=text)

    def _skeleton(self) -> str:
        kind = self._kind
        if kind is None:
            return skeleton("Deployment", "apps/v1", self.namespace)
        version = f"{kind.gvr.group}/{kind.gvr.version}" if kind.gvr.group else kind.gvr.version
        return skeleton(kind.kind, version, self.namespace if kind.namespaced else None)

    def offers(self, document: Document | None) -> dict[str, Callable[[], None]]:
        """What can be put in at the cursor, and whole manifests behind the others."""
        whole = {f"{kind}, a whole manifest": partial(self._append, kind) for kind in SKELETONS}
        return {**super().offers(document), **whole}

    def _append(self, kind: str) -> None:
        """Put a manifest behind the others."""
        lines, document = skeleton(kind, "", self.namespace).rstrip("\n").split("\n"), self.editor.document
        if kind in (*CLUSTER_SCOPED, "ClusterRoleBinding"):
            lines = skeleton(kind).rstrip("\n").split("\n")
        filled = max((row for row, line in enumerate(document.lines) if line.strip()), default=-1)
        before = ["---"] if filled >= 0 and document.get_line(filled) != "---" else []
        self.editor.apply_edits([Edit(filled + 1, (*before, *lines, ""), document.line_count - filled - 1)], NAME)

    # -- words -------------------------------------------------------------------------------

    def heading(self) -> list[Bit]:
        """The file, and where objects go."""
        what = clean(str(self._file)) if self._file is not None else "new manifest"
        way = "create, or change what is there" if self._applies else "create alone"
        if self._acts.read_only:
            way = "read-only: nothing is applied"
        return [Bit(what, "strong"), Bit(f"  in {clean(self.namespace)}", "dim"), Bit(f"  {way}", "dim")]

    def draft_base(self) -> str | None:
        """Nothing; what is typed into a Secret is written nowhere."""
        return None if _SECRET.search(self.editor.text) else ""

    def write_draft(self) -> None:
        """Keep what was typed; once it has become a Secret, no longer what was typed before, either."""
        if self._draft is not None and self.draft_base() is None:
            self._draft.discard()
        else:
            super().write_draft()

    def file_name(self) -> str:
        """The file that was opened."""
        return str(self._file) if self._file is not None else super().file_name()

    # -- files -------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Ask for the file."""
        self.ask("open", "→", "the file to open")

    def answered(self, name: str, text: str) -> None:
        """Open a file."""
        if name == "open":
            self._open(text)
        else:
            super().answered(name, text)

    @work(group="open", exit_on_error=False)
    async def _open(self, name: str) -> None:
        if self.modified:
            answer = await self.choose(
                "The text was changed and not applied.",
                ("back", "Go on editing"),
                ("open", "Open the file in its place; ctrl+z brings the text back"),
            )
            if answer != "open":
                return
        await self._read_file(file_of(name))

    async def _read_file(self, file: Path) -> None:
        try:
            text = await read_text(file)
        except KtuiError as error:
            self.say(error)
            return
        identity = self._acts.place.client.identity
        self._file = file
        self._draft = DraftFile(identity.server, identity.context, GVR("", "", "file"), ObjectKey("", str(file)))
        self.editor.read_only = False
        if self._original is None:
            self.load(text)
        else:
            # What was there before can be had back.
            self._original = text
            self.put(text)
        draft = await self.offer_draft(clean(str(file)))
        if draft is not None:
            self.load(draft.text, original=text)
        self.tell()

    # -- applying ----------------------------------------------------------------------------

    async def apply(self, reading: Reading) -> None:
        """Show what each document would do, and do it."""
        if self._acts.read_only:
            raise Refusal("ktui is read-only: it changes nothing.", "Start it without --read-only to change things.")
        if not reading.documents:
            raise Refusal("There is nothing to apply.", "Write a manifest first; f2 puts one in.")
        action = apply_manifest_action(reading) if self._applies else creating(self.editor.text)
        trouble = await self._dry_run(action, reading)
        if isinstance(trouble, ManagerConflicts):
            force = ("force", "Take it over: ktui owns it from then on")
            answer = await self.ask_owners(trouble, "Others own what you would change.", force)
            if answer != "force":
                return
            action = apply_manifest_action(reading, force=True)
        elif trouble is not None:
            self.refuse(trouble)
            return
        self._undertaking = self._acts.act(action, [self._target])

    @property
    def _target(self) -> Target:
        return Target(NAMESPACES, ObjectKey(self.namespace, ""))

    async def _dry_run(self, action: Action, reading: Reading) -> list[Problem] | ManagerConflicts | None:
        """What the server finds wrong, at the lines, before any dialog opens; None when there is nothing to mend."""
        place = self._acts.place
        values = (await action.form(place, [self._target])).start()
        steps = action.plan(self._target, values)
        made = parts(items(reading), values["kinds"], str(values["namespace"]))
        found: list[Problem] = []
        conflicts: list[ManagerConflict] = []
        for part, step in zip(made, steps, strict=True):
            if not step.previewed:
                continue
            try:
                await place.send(step.write, dry_run=True)
            except KtuiError as error:
                if (owned := manager_conflicts(error, step.write.body)) is not None:
                    conflicts += owned.conflicts
                elif isinstance(error, ApiError) and (blames_the_text(error) or isinstance(error, AlreadyExists)):
                    found += self._problems_of(error, part, reading)
        return found or (ManagerConflicts(conflicts) if conflicts else None)

    @staticmethod
    def _problems_of(error: ApiError, part: Part, reading: Reading) -> Sequence[Problem]:
        document = reading.documents[part.item.document - 1]
        if part.item.path:
            # Of a list, the object is enough.
            at = document.at(part.item.path)
            return [Problem(at.line, at.column, part.item.path, "error", error.message)]
        return problems_of(error.message, error.details.causes, document, part.body)

    def action_mode(self) -> None:
        """Change what is there already, or refuse to."""
        self._applies = not self._applies
        self.tell()

    def on_screen_resume(self) -> None:
        """The dialog was left: it was applied, or there is something to mend."""
        undertaking, self._undertaking = self._undertaking, None
        if undertaking is not None and undertaking.works and all(w.stage is Stage.DONE for w in undertaking.works):
            self.settle()
            if self._file is None:
                self.dismiss()
