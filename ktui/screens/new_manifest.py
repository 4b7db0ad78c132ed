"""NewManifestScreen: manifests of objects that are to be there: one or several, from a skeleton or from a file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from ktui.actions.action import Refusal, Target
from ktui.actions.apply_manifest import apply_manifest_action
from ktui.actions.drafts import DraftFile
from ktui.actions.undertaking import Stage, Undertaking
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.namespaces import NAMESPACES
from ktui.kinds.text import clean
from ktui.manifests.reading import Document, Reading
from ktui.manifests.skeletons import NAME, SKELETONS, skeleton
from ktui.manifests.snippets import Edit
from ktui.screens.editing import EditingScreen
from ktui.widgets.bar import Part

if TYPE_CHECKING:
    from ktui.acts import Acts

LARGEST = 8_000_000
"""Bytes of a file that is opened."""

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
        Binding("alt+o", "open", "Open a file", show=False, priority=True, tooltip="Edit a file's manifests."),
    ]

    def __init__(self, acts: Acts, namespace: str, *, kind: Kind | None = None, file: Path | None = None) -> None:
        super().__init__(acts)
        self._namespace = namespace
        self._kind = kind
        self._file = file
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
        if kind in CLUSTER_SCOPED:
            lines = skeleton(kind).rstrip("\n").split("\n")
        filled = max((row for row, line in enumerate(document.lines) if line.strip()), default=-1)
        before = ["---"] if filled >= 0 and document.get_line(filled) != "---" else []
        self.editor.apply_edits([Edit(filled + 1, (*before, *lines, ""), document.line_count - filled - 1)], NAME)

    # -- words -------------------------------------------------------------------------------

    def heading(self) -> list[Part]:
        """The file, and where objects go."""
        what = clean(str(self._file)) if self._file is not None else "new manifest"
        return [Part(what, "strong"), Part(f"  in {clean(self.namespace)}", "dim")]

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
        await self._read_file(Path(name).expanduser())  # noqa: ASYNC240 - looks up nothing but a name

    async def _read_file(self, file: Path) -> None:
        try:
            text = await asyncio.to_thread(_text_of, file)
        except OSError as error:
            self.notify(f"{file} cannot be read: {error.strerror}.", severity="warning", markup=False)
            return
        except ValueError as error:
            self.notify(f"{file} {error}.", severity="warning", markup=False)
            return
        identity = self._acts.place.client.identity
        self._file = file
        self._draft = DraftFile(identity.server, identity.context, GVR("", "", "file"), ObjectKey("", str(file)))
        self.editor.read_only = False
        self.load(text)
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
        action = await apply_manifest_action(reading)
        self._undertaking = self._acts.act(action, [Target(NAMESPACES, ObjectKey(self.namespace, ""))])

    def on_screen_resume(self) -> None:
        """The dialog was left: it was applied, or there is something to mend."""
        undertaking, self._undertaking = self._undertaking, None
        if undertaking is not None and undertaking.works and all(w.stage is Stage.DONE for w in undertaking.works):
            self.settle()
            if self._file is None:
                self.dismiss()


def _text_of(file: Path) -> str:
    """The text of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no manifest that can be edited; why, as the rest of a sentence.
    """
    if file.stat().st_size > LARGEST:
        raise ValueError("is too large to be edited")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError("is no text in UTF-8") from None
