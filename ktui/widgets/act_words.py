"""What a dialog about an action says: what would happen, and how it goes, as pieces of text in styles.

Everything that strangers wrote is cleaned here; nothing is markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ktui.actions.action import JsonObject, Said, Step
from ktui.actions.difference import Line, difference
from ktui.actions.difference import lines as lines_of
from ktui.actions.replace import immutable
from ktui.actions.server_side_apply import manager_conflicts
from ktui.actions.undertaking import Preview, Stage, Undertaking, Work, called
from ktui.kinds.manifest import is_secret, manifest
from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.kube.errors import KtuiError
from ktui.manifests.lists import ABSENT
from ktui.widgets.cells import width_of

MOST_ADDED = 30
"""Fields that are shown of those that the server adds; they are its usual ones."""

MOST_LINES = 400
"""Lines of a manifest, or of differences, that are shown; nobody reads more of them in a dialog."""

WIDEST, ROOM = 44, 46
"""Cells of what sentences are about at most, so that these begin below each other; and cells that they need at least,
with their mark."""

Words = list[tuple[str, str]]
"""Pieces of text and how each looks, as `Content.assemble` takes them."""

STALE = "$faint"
"""How something looks that is of the form as it was filled in a moment ago."""

STYLES = {
    Tone.PLAIN: "$foreground",
    Tone.GOOD: "$good",
    Tone.WORKING: "$working",
    Tone.WARNING: "$warning",
    Tone.FAILED: "$failed",
    Tone.FINISHED: "$faint",
    Tone.UNKNOWN: "$warning",
}
STAGES = {
    Stage.WAITING: (Tone.FINISHED, "waits for its turn"),
    Stage.WRITING: (Tone.WORKING, "is being done"),
    Stage.FOLLOWING: (Tone.WORKING, ""),
    Stage.DONE: (Tone.GOOD, ""),
    Stage.FAILED: (Tone.FAILED, "failed"),
    Stage.UNKNOWN: (Tone.UNKNOWN, "outcome unknown"),
    Stage.CANCELLED: (Tone.FINISHED, "not done"),
}


def heading(undertaking: Undertaking) -> str:
    """The title of the dialog: `Scale deployment shop/web`, `Delete 3 pods`."""
    action, targets = undertaking.action, undertaking.targets
    if action.creates:
        return action.title
    if len(targets) == 1:
        return clean(f"{action.title} {targets[0].said}")
    kinds = {target.kind.gvr.resource for target in targets}
    return f"{action.title} {len(targets)} {kinds.pop() if len(kinds) == 1 else 'objects'}"


def told(error: KtuiError) -> str:
    """What went wrong and what to do, as sentences: kubectl's own words end without a full stop."""
    if not error.next_step:
        return error.sentence
    stop = "" if error.sentence.endswith((".", "!", "?", ":", "…")) else "."
    return f"{error.sentence}{stop} {error.next_step}"


def said_words(said: Iterable[Said], indent: str = "", room: int = 0) -> Words:
    """Sentences, a line each, marked by their tones.

    Args:
        said: the sentences.
        indent: what stands before each.
        room: cells of a line; where it is enough, sentences about several things begin below each other.
    """
    lines = list(said)
    widest = max((width_of(clean(each.about)) for each in lines), default=0)
    align = widest <= min(WIDEST, room - ROOM - len(indent))
    words: Words = []
    for each in lines:
        about = clean(each.about)
        blanks = " " * (widest - width_of(about) if align else 0)
        mark = f"{each.tone.value} " if each.tone.value.strip() else "  "
        words += [(indent + mark, STYLES[each.tone]), (f"{about}{blanks}  " if about else "", "$bright")]
        words.append((clean(each.text) + "\n", STYLES[each.tone] if each.tone.unhealthy else "$foreground"))
    return words


def preview_words(
    undertaking: Undertaking,
    said: Sequence[Said],
    previews: Mapping[Work, Sequence[Preview]],
    kubectl: Sequence[str],
    *,
    checked: bool,
    room: int = 0,
) -> Words:
    """What would happen.

    Args:
        undertaking: what is to be done.
        said: consequences and cautions.
        previews: what dry runs said of each target.
        kubectl: the lines that do the same.
        checked: whether all this is of the form as it is filled in now; what is older looks so.
        room: cells of a line.
    """
    several = len(undertaking.works) > 1
    words: Words = []
    for work in undertaking.works:
        if work.error is not None:
            name = f"{work.target.said}: " if several else ""
            words += said_words([Said(f"{name}{told(work.error)}", Tone.FAILED)])
    older = said_words(said, room=room)
    for work in undertaking.works:
        shown = [
            line
            for preview in previews.get(work, ())
            for line in (*(_object(preview) if work.several else ()), *_preview(preview))
        ]
        if shown and several:
            older.append((clean(work.target.said) + "\n", "$bright"))
        older += shown
    if not older and not checked and any(work.steps for work in undertaking.works):
        older.append(("Asking the server what would happen …\n", STALE))
    words += older if checked else [(text, STALE) for text, _ in older]
    words += _unchanged(undertaking)
    # Of lines that read a text, only the first line is shown: what they read stands below.
    for line, more in dict.fromkeys((line.partition("\n")[0], "\n" in line) for line in kubectl[:MOST_LINES]):
        words += [("$ ", "$faint"), (clean(line), "$quiet"), (" …\n" if more else "\n", "$faint")]
    shown = [step for work in undertaking.works for step in work.steps if step.shown is not None]
    for step in shown:
        words += [("---\n", "$faint")] if step is not shown[0] else []
        words += _manifest(step)
    return words


def _unchanged(undertaking: Undertaking) -> Words:
    """Where nothing would be done."""
    works = undertaking.works
    still = [work for work in works if undertaking.leaves(work)]
    if not still:
        return []
    all_of_them = len(still) == len(works)
    text = "Nothing would change." if all_of_them else f"{len(still)} of {len(works)} would stay as they are."
    return [(f"{text}\n", "$faint")]


def _preview(preview: Preview) -> Words:
    words = _refusal(preview) if preview.error is not None else []
    words += said_words(Said(f"The server warns: {warning}", Tone.WARNING) for warning in preview.warnings)
    step, before, after = preview.step, preview.before, preview.after
    if after is None or step.tried is not None:
        return words
    if step.wanted is None:
        return words if before is None or step.shown is not None else words + _difference(before, after)
    if before is None:
        return words + _by_server(step.wanted, after)
    if before is not step.target.item:
        # Somebody else was faster: what is theirs, and what is the server's, cannot be told apart.
        return words + _difference(before, after)
    return words + _difference(before, step.wanted) + _by_server(step.wanted, after)


def _object(preview: Preview) -> Words:
    """What a step is about, and what would become of it, where there are several."""
    step = preview.step
    if preview.error is not None:
        words = "is refused" if preview.refused else ""
    elif step.write.method == "DELETE":
        words = "is deleted"
    elif not step.previewed:
        words = "is made when what it needs is there"
    elif preview.after is None:
        words = "is done"
    elif preview.before is None:
        words = "is made"
    else:
        words = "is changed"
    return [(f"{clean(called(step))}  ", "$bright"), (f"{words}\n", "$quiet")]


def _refusal(preview: Preview) -> Words:
    """Why the server would refuse it, and what could be done instead."""
    error = preview.error
    assert error is not None
    tone = Tone.FAILED if preview.refused else Tone.WARNING
    conflicts = manager_conflicts(error, preview.step.write.body)
    said = [Said(told(error), tone)] if conflicts is None else [Said(conflicts.next_step, tone), *conflicts.told]
    if preview.step.write.method in ("PATCH", "PUT") and immutable(error):
        said.append(Said("The object has to be replaced to have this: deleted, and created again.", Tone.WARNING))
    return said_words(said)


def _by_server(wanted: JsonObject, after: JsonObject) -> Words:
    """What the server makes of an object beyond what was wanted: defaults that it adds, and what it changes itself."""
    found = difference(wanted, after)
    words: Words = []
    for title, changes in (
        ("Added by the server:", [change for change in found if change.before is ABSENT]),
        ("Made different by the server:", [change for change in found if change.before is not ABSENT]),
    ):
        if changes:
            lines = lines_of(changes[:MOST_ADDED], secret=is_secret(after))
            words += [(f"{title}\n", "$faint"), *_change_words(lines, "  ")]
            if len(changes) > MOST_ADDED:
                words.append((f"  … {len(changes) - MOST_ADDED:,} more\n", "$faint"))
    return words


def _manifest(step: Step) -> Words:
    """What is sent, where that is a whole object."""
    if step.shown is None:
        return []
    lines = manifest(step.shown).splitlines()
    words = [(clean(line) + "\n", "$quiet") for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        words.append((f"… {len(lines) - MOST_LINES:,} more lines\n", "$faint"))
    return words


def _difference(before: JsonObject, after: JsonObject) -> Words:
    lines = lines_of(difference(before, after), secret=is_secret(after))
    if not lines:
        return [("Nothing would change.\n", "$faint")]
    return _change_words(lines[:MOST_LINES])


def _change_words(lines: Iterable[Line], indent: str = "") -> Words:
    words: Words = []
    for line in lines:
        words.append((indent + clean(line.path) + "  ", "$foreground"))
        if line.before:
            words.append((clean(line.before), "$failed"))
        words.append((" → " if line.before and line.after else "", "$faint"))
        if line.after:
            words.append((clean(line.after), "$good"))
        words.append(("" if line.after else "  (removed)", "$faint"))
        words.append(("\n", ""))
    return words


def progress_words(undertaking: Undertaking, room: int = 0) -> Words:
    """How it goes with each target.

    Args:
        undertaking: what is being done.
        room: cells of a line.
    """
    works = undertaking.works
    if len(works) == 1:
        return _progress(works[0], "", room)
    done = sum(work.stage is Stage.DONE for work in works)
    names = [clean(work.target.said) for work in works]
    widest = max(map(width_of, names), default=0)
    align = widest <= min(WIDEST, room - ROOM)
    words: Words = [(f"{done} of {len(works)} done\n", "$quiet")]
    for name, work in zip(names, works, strict=True):
        blanks = " " * (widest - width_of(name) if align else 0)
        words += _progress(work, f"{name}{blanks}  ", room)
    return words


def _progress(work: Work, name: str, room: int) -> Words:
    tone, stage = STAGES[work.stage]
    own = work.said.get("")
    text = stage or (own.text if own is not None else work.undertaking.action.done)
    if work.stage is Stage.WRITING and own is not None:
        text = own.text
    if work.failed and work.several:
        text = f"{len(work.steps) - len(work.failed)} of {len(work.steps)} done"
    words: Words = [(f"{tone.value} ", STYLES[tone]), (name, "$bright"), (clean(text) + "\n", "$foreground")]
    if work.error is not None:
        # What went wrong stands at the line of its step, where there are several.
        repeated = any(said.about and said.text == work.error.sentence for said in work.said.values())
        error = work.error.next_step if repeated else told(work.error)
        words.append((f"  {clean(error)}\n", "$failed"))
    indent = "    " if name else "  "
    return words + said_words((said for said in work.said.values() if said.about), indent, room)
