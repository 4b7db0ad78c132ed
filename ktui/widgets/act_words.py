"""What a dialog about an action says: what would happen, and how it goes, as pieces of text in styles.

Everything that strangers wrote is cleaned here; nothing is markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ktui.actions.action import Said
from ktui.actions.difference import difference
from ktui.actions.difference import lines as lines_of
from ktui.actions.undertaking import Preview, Stage, Undertaking, Work
from ktui.kinds.manifest import is_secret, manifest
from ktui.kinds.text import clean, clean_lines
from ktui.kinds.tone import Tone

GAP = 1
"""Empty lines between what is asked and what would happen."""

MOST_LINES = 400
"""Lines of a manifest, or of differences, that are shown; nobody reads more of them in a dialog."""

Words = list[tuple[str, str]]
"""Pieces of text and how each looks, as `Content.assemble` takes them."""

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


def said_words(said: Iterable[Said], indent: str = "") -> Words:
    """Sentences, a line each, marked by their tones."""
    words: Words = []
    for each in said:
        about = f"{clean(each.about)}  " if each.about else ""
        mark = f"{each.tone.value} " if each.tone.value.strip() else "  "
        words += [(indent + mark, STYLES[each.tone]), (about, "$bright")]
        words.append((clean(each.text) + "\n", STYLES[each.tone] if each.tone.unhealthy else "$foreground"))
    return words


def preview_words(
    undertaking: Undertaking,
    said: Sequence[Said],
    previews: Mapping[Work, Sequence[Preview]],
    kubectl: Sequence[str],
    *,
    checked: bool,
) -> Words:
    """What would happen.

    Args:
        undertaking: what is to be done.
        said: consequences and cautions.
        previews: what dry runs said of each target.
        kubectl: the lines that do the same.
        checked: whether these are of the form as it is filled in now.
    """
    several = len(undertaking.works) > 1
    words: Words = []
    for work in undertaking.works:
        if work.error is not None:
            name = f"{work.target.said}: " if several else ""
            words += said_words([Said(f"{name}{work.error.sentence} {work.error.next_step}", Tone.FAILED)])
    words += said_words(said)
    if not checked and any(work.steps for work in undertaking.works):
        words.append(("Asking the server what would happen …\n", "$faint"))
    for work in undertaking.works:
        shown = [line for preview in previews.get(work, ()) for line in _preview(preview)]
        if shown and several:
            words.append((clean(work.target.said) + "\n", "$bright"))
        words += shown
    for line in kubectl[:MOST_LINES]:
        for place, part in enumerate(clean_lines(line)):
            words += [("$ " if place == 0 else "  ", "$faint"), (part + "\n", "$quiet")]
    if words:
        text, style = words[-1]
        words[-1] = (text.rstrip("\n"), style)
    return words


def _preview(preview: Preview) -> Words:
    words: Words = []
    if preview.error is not None:
        tone = Tone.FAILED if preview.refused else Tone.WARNING
        words += said_words([Said(f"{preview.error.sentence} {preview.error.next_step}", tone)])
    words += said_words(Said(f"The server warns: {warning}", Tone.WARNING) for warning in preview.warnings)
    if preview.step.shown is not None:
        lines = manifest(preview.step.shown).splitlines()
        words += [(clean(line) + "\n", "$quiet") for line in lines[:MOST_LINES]]
        if len(lines) > MOST_LINES:
            words.append((f"… {len(lines) - MOST_LINES:,} more lines\n", "$faint"))
    elif preview.before is not None and preview.after is not None:
        words += _difference(preview)
    return words


def _difference(preview: Preview) -> Words:
    assert preview.before is not None
    assert preview.after is not None
    secret = is_secret(preview.after)
    lines = lines_of(difference(preview.before, preview.after), secret=secret)
    if not lines:
        return [("Nothing would change.\n", "$faint")]
    words: Words = []
    for line in lines[:MOST_LINES]:
        words.append((clean(line.path) + "  ", "$foreground"))
        if line.before:
            words.append((clean(line.before), "$failed"))
        words.append((" → " if line.before and line.after else "", "$faint"))
        if line.after:
            words.append((clean(line.after), "$good"))
        words.append(("" if line.after else "  (removed)", "$faint"))
        words.append(("\n", ""))
    return words


def progress_words(undertaking: Undertaking) -> Words:
    """How it goes with each target."""
    several = len(undertaking.works) > 1
    words: Words = []
    if several:
        done = sum(work.stage is Stage.DONE for work in undertaking.works)
        words.append((f"{done} of {len(undertaking.works)} done\n", "$quiet"))
    for work in undertaking.works:
        words += _progress(undertaking, work, indent="  " if several else "")
    if words:
        text, style = words[-1]
        words[-1] = (text.rstrip("\n"), style)
    return words


def _progress(undertaking: Undertaking, work: Work, indent: str) -> Words:
    tone, stage = STAGES[work.stage]
    own = work.said.get("")
    text = stage or (own.text if own is not None else undertaking.action.done)
    if work.stage is Stage.WRITING and own is not None:
        text = own.text
    name = f"{clean(work.target.said)}  " if indent else ""
    words: Words = [(f"{tone.value} ", STYLES[tone]), (name, "$bright"), (clean(text) + "\n", "$foreground")]
    if work.error is not None:
        words.append((f"{indent}  {clean(work.error.sentence)} {clean(work.error.next_step)}\n", "$failed"))
    return words + said_words((said for said in work.said.values() if said.about), indent + "  ")
