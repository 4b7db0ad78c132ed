"""Undertaking: an action on its targets, from the first look to the end of what it set in motion.

Nothing is retried blindly. What was refused stays refused until the person asks again; a server that asks to wait is
waited for, as it has done nothing; and when no answer came, nobody knows whether the write was done, so it is looked
up. Every write that was tried is kept once, however it went.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from ktui.actions.action import APPLY_PATCH, Action, Asks, Cluster, JsonObject, Refusal, Said, Step, Target, Write
from ktui.actions.difference import difference
from ktui.actions.form import Values
from ktui.actions.outcome import asked_to_wait, leaves_open, may_come_later, may_pass, never_sent, was_done
from ktui.actions.place import Place
from ktui.kinds.names import ObjectKey
from ktui.kinds.tone import Tone
from ktui.kube.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    KtuiError,
    NotFound,
    TooManyRequests,
)

log = logging.getLogger(__name__)

AT_ONCE = 5
"""Targets that are written to side by side."""

MOST_RENEWALS = 5
"""How often a write is made anew for the newest version of an object of which only the status has changed."""

MOST_WAITS = 5
"""How often a server that asks to wait is waited for."""

LOOKS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each look at what became of a write that nobody answered."""

LOOKS_UNDONE = 3
"""Looks after which something counts as not done, unless a server may still be at it: then it takes all looks."""

READING = ("get", "list", "watch")


class Stage(Enum):
    """How far it is with a target."""

    WAITING = auto()
    WRITING = auto()
    FOLLOWING = auto()
    DONE = auto()
    FAILED = auto()
    UNKNOWN = auto()
    """No answer came, and it could not be looked up."""
    CANCELLED = auto()
    """Nothing was begun."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens."""
        return self in (Stage.DONE, Stage.FAILED, Stage.UNKNOWN, Stage.CANCELLED)


@dataclass(frozen=True)
class Preview:
    """What a dry run of a step says.

    Attributes:
        step: the step.
        before: what it changes, as it is now; None of what is created, and where nothing is changed.
        after: what it would be; None where there is nothing to show.
        warnings: of the server.
        error: why the server would refuse it.
    """

    step: Step
    before: JsonObject | None = None
    after: JsonObject | None = None
    warnings: tuple[str, ...] = ()
    error: KtuiError | None = None

    @property
    def refused(self) -> bool:
        """Whether doing it would be in vain; admission webhooks that know no dry run say nothing about that."""
        error = self.error
        if isinstance(error, BadRequest) and "dry run" in error.message:
            return False
        if isinstance(error, ApiError) and "typed patch" in error.message:
            # What the schema does not know, an apply refuses in this way.
            return True
        return isinstance(error, ApiError) and 400 <= error.status < 500 and not isinstance(error, TooManyRequests)


@dataclass(frozen=True)
class Written:
    """A write that was made, or tried; for the journal.

    Attributes:
        action: whose.
        step: the step.
        before: the object as it was; None when it is not known.
        after: what the server answered; None when it failed.
        error: why it failed; None when it did not.
        unknown: whether nobody knows if it was done.
        batch: what was done together has the same.
    """

    action: Action
    step: Step
    before: JsonObject | None
    after: JsonObject | None = None
    error: KtuiError | None = None
    unknown: bool = False
    batch: str = ""


Keep = Callable[[Written], None]
"""What keeps writes."""


@dataclass(eq=False)
class Work:
    """An action on one target. It is the `Doing` that the action's `follow` sees.

    Attributes:
        undertaking: what it belongs to.
        target: the object, as it was read.
        steps: what is to be done.
        stage: how far it is.
        said: the newest sentence about each thing, the target itself under the empty name.
        unread: why the target could not be read.
        error: why it failed.
        results: what the server answered to each step.
        failed: the steps that failed, or were not done as another had failed, and why.
    """

    undertaking: Undertaking
    target: Target
    steps: Sequence[Step] = ()
    stage: Stage = Stage.WAITING
    said: dict[str, Said] = field(default_factory=dict)
    unread: KtuiError | None = None
    error: KtuiError | None = None
    results: list[JsonObject] = field(default_factory=list)
    failed: list[tuple[Step, KtuiError]] = field(default_factory=list)
    # What was done when it was tried before, and a later step failed; it is not done twice.
    _made: list[tuple[Write, JsonObject]] = field(default_factory=list)

    @property
    def cluster(self) -> Cluster:
        """Where."""
        return self.undertaking.place

    @property
    def values(self) -> Values:
        """What the form was filled with."""
        return self.undertaking.values

    def tell(self, said: Said) -> None:
        """Note a sentence of progress."""
        self.said.pop(said.about, None)
        self.said[said.about] = said
        self.undertaking.changed()

    def become(self, stage: Stage) -> None:
        """Note how far it is."""
        self.stage = stage
        self.undertaking.changed()

    # -- doing it ----------------------------------------------------------------------------

    async def do(self, turn: asyncio.Semaphore) -> None:
        """Do all steps, and follow."""
        try:
            async with turn:
                await self._do_steps()
            await self._follow()
            self.become(Stage.DONE)
        except Stopped as error:
            self.error = error if self.results else None
            self.become(Stage.FAILED if self.results else Stage.CANCELLED)
        except OutcomeUnknown as error:
            self.error = error
            self.become(Stage.UNKNOWN)
        except KtuiError as error:
            self.error = error
            self.become(Stage.FAILED)
        except asyncio.CancelledError:
            if not self.stage.ended:
                self.become(Stage.CANCELLED if self.stage is Stage.WAITING else Stage.UNKNOWN)
            raise
        except Exception as fault:
            # ktui's own: the others go on, and it is raised when they have ended.
            mistake = KtuiError(f"ktui made a mistake ({type(fault).__name__}).")
            if self.stage is Stage.FOLLOWING and self._all_written:
                self._not_followed(mistake)
                self.become(Stage.DONE)
            else:
                self.error = OutcomeUnknown(mistake)
                self.become(Stage.UNKNOWN)
            raise

    async def _do_steps(self) -> None:
        self.failed.clear()
        for step in self.steps:
            self._tell_step(step, "waits for its turn", Tone.FINISHED)
        for place, step in enumerate(self.steps):
            if self.undertaking.cancelled:
                raise Stopped(place, len(self.steps))
            self.become(Stage.WRITING)
            if missing := [other for other, _ in self.failed if _needs(step, other)]:
                self._tell_step(step, f"not done, as it needs {called(missing[0])}", Tone.FINISHED)
                self.failed.append((step, self.failed[0][1]))
                continue
            try:
                await self._do_step(step)
            except ApiError as error:
                if step.advice and self.results:
                    error.next_step = step.advice
                self._tell_step(step, error.sentence, Tone.FAILED)
                self.failed.append((step, error))
            except KtuiError as error:
                # What came of it is not known, or the line is broken: nothing more is begun.
                self._tell_step(step, error.sentence, Tone.FAILED)
                raise
        if self.failed:
            raise self.failed[0][1]
        if self.undertaking.cancelled and not self.steps:
            raise Stopped(0, 0)
        self._made.clear()

    async def _do_step(self, step: Step) -> None:
        """Do one of the steps, unless it was done when it was tried before, and wait for what the next ones need."""
        answer = self.made(step)
        if answer is not None:
            self._tell_step(step, "done before", Tone.GOOD)
        else:
            self._tell_step(step, "is being done", Tone.WORKING)
            before = await self._found(step)
            answer = await self._written(step, before)
            self._made.append((step.write, answer))
            self._tell_step(step, _became(step, before, answer), Tone.GOOD)
        self.results.append(answer)
        if step.settled is not None:
            done = self.said[called(step)]
            await self._settle(step)
            if not self.undertaking.cancelled:
                self._tell_step(step, done.text, done.tone)

    @property
    def several(self) -> bool:
        """Whether its steps are told apart, a line each."""
        return any(step.needs is not None or step.settled is not None for step in self.steps)

    def made(self, step: Step) -> JsonObject | None:
        """What the server answered to a step that was done when it was tried before; None when it was not."""
        return next((answer for write, answer in self._made if write == step.write), None)

    @property
    def deleted(self) -> bool:
        """Whether the target was deleted by a step, when it was tried before."""
        path = self.target.kind.gvr.path(*self.target.key)
        return any((write.method, write.path) == ("DELETE", path) for write, _ in self._made)

    def _tell_step(self, step: Step, text: str, tone: Tone) -> None:
        """Tell how far it is with a step, where there are several that are known apart."""
        if self.several:
            # Where its line is, it stays.
            self.said[called(step)] = Said(text, tone, called(step))
            self.undertaking.changed()

    async def _settle(self, step: Step) -> None:
        """Wait for what a step has set in motion, to the end, or until nothing more is to be begun."""
        stop = asyncio.ensure_future(self.undertaking.stopped.wait())
        try:
            async with aclosing(self._settling(step)) as told:
                while (said := await _next(told, stop)) is not None:
                    self._tell_step(step, said.text, said.tone)
        finally:
            stop.cancel()

    async def _settling(self, step: Step) -> AsyncGenerator[Said, None]:
        assert step.settled is not None
        target = step.awaited or step.target
        async with aclosing(self.cluster.watch(target.kind.gvr, target.key)) as found:
            async for item in found:
                if not (waits := step.settled(item)):
                    return
                yield Said(waits, Tone.WORKING, called(step))

    async def _follow(self) -> None:
        follow = self.undertaking.action.follow
        if self.undertaking.leaves(self):
            # Whatever it waits for was not begun here, and may never come.
            self.tell(Said("Nothing was to be changed.", Tone.FINISHED))
            return
        if follow is None or self.undertaking.cancelled:
            return
        self.become(Stage.FOLLOWING)
        try:
            async with aclosing(follow(self)) as told:
                await self._listen(told)
        except Refusal:
            raise
        except KtuiError as error:
            if not self._all_written:
                raise
            self._not_followed(error)

    def _not_followed(self, error: KtuiError) -> None:
        """What was to be done is done; only its consequences are not seen."""
        words = f"It was done. How it goes on is not known: {error.sentence} {error.next_step}"
        self.tell(Said(words.strip(), Tone.WARNING))

    async def _listen(self, told: AsyncGenerator[Said, None]) -> None:
        """Pass on what is told, to the end, or until nobody wants to know any more."""
        stop = asyncio.ensure_future(self.undertaking.stopped.wait())
        try:
            while (said := await _next(told, stop)) is not None:
                self.tell(said)
                if stop.done():
                    break
        finally:
            stop.cancel()
        if stop.done() and not stop.cancelled():
            self.tell(Said("No longer followed.", Tone.FINISHED))

    @property
    def _all_written(self) -> bool:
        """Whether nothing is left to be written while it is followed, such as the evictions of a drain."""
        written = {step.target.kind.gvr for step in self.steps}
        writes = [right.gvr for right in self.undertaking.action.access if right.verb not in READING]
        return bool(self.results) and all(gvr is None or gvr in written for gvr in writes)

    async def write(self, step: Step) -> JsonObject:
        """Do one step, and keep it in the journal.

        Raises:
            KtuiError: it failed, which is kept too.
        """
        return await self._written(step, await self._found(step))

    async def _written(self, step: Step, before: JsonObject | None) -> JsonObject:
        existed = await self._existed(step)
        try:
            after = await self._sent(step, before, existed)
        except KtuiError as error:
            self._keep(step, before, error=error, unknown=isinstance(error, OutcomeUnknown))
            raise
        except BaseException:
            # ktui ends, or made a mistake.
            unheard = OutcomeUnknown(KtuiError("ktui did not hear the answer."))
            self._keep(step, before, error=unheard, unknown=True)
            raise
        self._keep(step, before, after=after)
        return after

    async def _found(self, step: Step) -> JsonObject | None:
        """The object that a step changes; of an apply, which makes what is not there, it is asked whether it is."""
        before = self._before(step)
        if before is None and step.write.content_type == APPLY_PATCH:
            with suppress(NotFound, Forbidden):
                before = await self.undertaking.place.get(step.target.kind.gvr, step.target.key)
        return before

    def _before(self, step: Step) -> JsonObject | None:
        """The object that a step changes: as it was read when the action began, or what the last step made of it."""
        if step.write.method == "POST":
            return None
        key = step.target.key
        for item in reversed(self.results):
            meta = item.get("metadata") or {}
            same = (meta.get("namespace", ""), meta.get("name")) == (key.namespace, key.name)
            if same and item.get("kind") == step.target.kind.kind:
                return item
        return step.target.item

    async def _existed(self, step: Step) -> str | None:
        """The UID of the object that has the name of one that is to be made; empty for none, None if not known.

        Only an answer that is lost makes this worth knowing, but then it is too late to ask. A dry run has told, too.
        """
        target, write = step.target, step.write
        if write.method != "POST" or write.path != target.kind.gvr.path(target.key.namespace) or not target.key.name:
            return None
        if (write.path, target.key.name) in self.undertaking.free:
            return ""
        try:
            item = await self.undertaking.place.get(target.kind.gvr, target.key)
        except NotFound:
            return ""
        except KtuiError as error:
            log.debug("it is not known whether %s is there: %s", target.said, error)
            return None
        return str(item["metadata"].get("uid", "")) or None

    async def _sent(self, step: Step, before: JsonObject | None, existed: str | None) -> JsonObject:
        """The server's answer; while it asks to wait, that is said and done.

        Raises:
            KtuiError: it was not done, or nobody knows.
        """
        waits = renewals = 0
        while True:
            try:
                answer, _ = await self.undertaking.place.send(step.write)
            except KtuiError as error:
                if renewals < MOST_RENEWALS and (renewed := await self._renewed(step, error)) is not None:
                    step, renewals = renewed, renewals + 1
                    continue
                if (wait := asked_to_wait(error)) is None or waits == MOST_WAITS:
                    if never_sent(error):
                        raise NotDone(error) from error
                    if leaves_open(error):
                        return await self._looked_up(step, before, existed, error)
                    raise
            else:
                if waits:
                    self.said.pop("", None)
                return answer
            waits += 1
            self.tell(Said(f"The cluster asks to wait {wait:g} s; then it is tried again.", Tone.WARNING))
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self.undertaking.stopped.wait()
                raise Stopped(0, 1)

    async def _renewed(self, step: Step, error: KtuiError) -> Step | None:
        """The step for the object as it is by now, where nothing that a person could have wanted otherwise has changed.

        Controllers write a status at any moment, and nobody should have to begin again for that.

        Args:
            step: that the server refused.
            error: why.
        """
        target = self.target
        stale = isinstance(error, Conflict) and not isinstance(error, AlreadyExists) and not error.details.causes
        if not stale or target.item is None or len(self.steps) != 1 or not _versioned(step.write):
            return None
        try:
            item = await self.undertaking.place.get(target.kind.gvr, target.key)
            if _wished(item) != _wished(target.item):
                return None
            (renewed,) = self.undertaking.action.plan(target.read(item), self.values)
        except (KtuiError, ValueError) as trouble:
            log.debug("%s is not planned again: %s", target.said, type(trouble).__name__)
            return None
        self.target = target.read(item)
        return renewed

    async def _looked_up(
        self, step: Step, before: JsonObject | None, existed: str | None, error: KtuiError
    ) -> JsonObject:
        """The object when the write turns out to have been done.

        Raises:
            KtuiError: it was not done, or nobody knows.
        """
        self.tell(Said(f"{error.sentence} Nobody knows yet whether it was done; ktui looks.", Tone.WARNING))
        undone, enough = 0, len(LOOKS) if may_come_later(error) else LOOKS_UNDONE
        seen = False
        for wait in LOOKS:
            await asyncio.sleep(wait)
            try:
                done = await was_done(self.undertaking.place, step, before, existed)
            except KtuiError as again:
                log.debug("not looked up yet: %s", again)
                seen = False
                if not may_pass(again):
                    break
                continue
            if done is not None:
                self.tell(Said("It was done, although no answer came.", Tone.GOOD))
                return done
            seen, undone = True, undone + 1
            if undone == enough:
                break
        self.said.pop("", None)
        raise NotDone(error) if seen and undone >= LOOKS_UNDONE else OutcomeUnknown(error)

    def _keep(
        self,
        step: Step,
        before: JsonObject | None,
        *,
        after: JsonObject | None = None,
        error: KtuiError | None = None,
        unknown: bool = False,
    ) -> None:
        undertaking = self.undertaking
        undertaking.refusal = error
        undertaking.keep(Written(undertaking.action, step, before, after, error, unknown, undertaking.batch))


def _wished(item: JsonObject) -> JsonObject:
    """What of an object is not the server's own."""
    meta = {key: value for key, value in item["metadata"].items() if key not in ("resourceVersion", "managedFields")}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": meta}


def _versioned(write: Write) -> bool:
    """Whether a write holds for one version of its object only."""
    body = write.body
    if isinstance(body, list):
        return any(operation.get("path") == "/metadata/resourceVersion" for operation in body)
    meta = body.get("metadata") if isinstance(body, dict) else None
    return isinstance(meta, dict) and bool(meta.get("resourceVersion"))


def called(step: Step) -> str:
    """What a step is about, to be read; what the server names, is called by what its name begins with.

    Args:
        step: one of several.
    """
    target, body = step.target, step.write.body
    if target.key.name or not isinstance(body, dict):
        return target.said
    begins = str((body.get("metadata") or {}).get("generateName", ""))
    return f"{target.kind.singular} {ObjectKey(target.key.namespace, begins)}…"


def _needs(step: Step, other: Step) -> bool:
    """Whether a step makes no sense without another."""
    if step.needs is None:
        return True
    return any((need.kind.gvr, need.key) == (other.target.kind.gvr, other.target.key) for need in step.needs)


def _became(step: Step, before: JsonObject | None, after: JsonObject) -> str:
    """What a step has done, in the words of kubectl."""
    if step.write.method == "DELETE":
        return "deleted"
    if before is None:
        return "created"
    return "configured" if difference(before, after) else "unchanged"


async def _next(told: AsyncGenerator[Said, None], stop: asyncio.Future[Any]) -> Said | None:
    """The next sentence; None when there is none any more, or when somebody wants no more of them."""
    line = asyncio.ensure_future(anext(told, None))
    try:
        await asyncio.wait((line, stop), return_when=asyncio.FIRST_COMPLETED)
    finally:
        # What says nothing for a long time would not notice otherwise.
        if not line.done():
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)
    return None if line.cancelled() else line.result()


class NotDone(KtuiError):  # noqa: N818 - named as those of errors.py
    """No answer came, and it turned out that nothing was done."""

    def __init__(self, error: KtuiError) -> None:
        super().__init__(f"{error.sentence} Nothing was done.", "Try again.")


class OutcomeUnknown(KtuiError):  # noqa: N818 - named as those of errors.py
    """No answer came, and what became of it could not be looked up."""

    def __init__(self, error: KtuiError) -> None:
        super().__init__(
            f"{error.sentence} It is not known whether it was done.",
            "Look at the object when the cluster answers again, before you try again.",
        )


class Stopped(KtuiError):  # noqa: N818 - named as those of errors.py
    """Somebody wanted it to stop before all was begun."""

    def __init__(self, done: int, steps: int) -> None:
        words = f"{done} of {steps} steps were done" if done else "nothing was done"
        super().__init__(f"It was stopped: {words}.", "Try again to go on.")


class Undertaking:
    """An action on one or several targets.

    Args:
        place: the cluster.
        action: what to do.
        targets: to what; with their objects, where they exist.
        keep: keeps what was written.
        batch: what the writes have in common in the journal.
        changed: called, synchronously, when there is something new to show.

    Attributes:
        place, action, keep, batch, changed: as above.
        works: one for each target, in their order.
        values: what the form was filled with.
        stopped: set when nothing more is to be begun.
        refusal: what the server said last, where it was no; None where it was yes.
        free: paths and names of what a dry run would have made, so that nothing had these names.
        previewed: what the newest dry run said.
    """

    def __init__(
        self,
        place: Place,
        action: Action,
        targets: Sequence[Target],
        keep: Keep,
        batch: str,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.place = place
        self.action = action
        self.keep = keep
        self.batch = batch
        self.changed = changed
        self.works = [Work(self, target) for target in targets]
        self.values: dict[str, Any] = {}
        self.stopped = asyncio.Event()
        self.refusal: KtuiError | None = None
        self.free: set[tuple[str, str]] = set()
        self.previewed: dict[Work, list[Preview]] = {}

    @property
    def targets(self) -> list[Target]:
        """The objects, as they were read."""
        return [work.target for work in self.works]

    @property
    def cancelled(self) -> bool:
        """Whether nothing more is to be begun."""
        return self.stopped.is_set()

    @property
    def ended(self) -> bool:
        """Whether nothing more happens."""
        return all(work.stage.ended for work in self.works)

    def leaves(self, work: Work) -> bool:
        """Whether an action that changes things leaves an object as it is, since it is as it is wanted.

        What has to be confirmed does something without a step, too: a drain evicts while it is followed.
        """
        if work.error is not None or work.steps or not self.action.access:
            return False
        return self.action.asks(self.targets, self.values) is Asks.NOTHING

    async def read(self) -> None:
        """Read all targets anew; of one that cannot be read, its work keeps the error.

        Raises:
            KtuiError: the only one there is cannot be read.
        """
        turn = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._read(work, turn) for work in self.works))
        self.changed()
        if len(self.works) == 1 and (error := self.works[0].unread) is not None:
            raise error

    async def _read(self, work: Work, turn: asyncio.Semaphore) -> None:
        work.unread, target = None, work.target
        if not self.action.creates:
            async with turn:
                try:
                    item = await self.place.get(target.kind.gvr, target.key)
                    work.target = self._same(target, item)
                except NotFound as error:
                    # What it was deleted for, can still be done.
                    work.unread = None if work.deleted else error
                except KtuiError as error:
                    work.unread = error
        work.error = work.unread

    @staticmethod
    def _same(target: Target, item: JsonObject) -> Target:
        """The target with its object, if it is the one that was chosen.

        Raises:
            Refusal: it is not.
        """
        uid = str(item["metadata"].get("uid", ""))
        if target.uid and uid and uid != target.uid:
            raise Refusal(
                f"{target.said} is not the one you chose: it was deleted, and another one has its name.",
                "Close this, look at the new one, and begin again.",
            )
        return Target(target.kind, target.key, uid, item)

    def plan(self) -> None:
        """Make the steps of each target from the values; a refusal becomes its work's error."""
        for work in self.works:
            work.steps, work.error = (), work.unread
            if work.error is not None:
                continue
            try:
                work.steps = tuple(self.action.plan(work.target, self.values))
            except KtuiError as error:
                work.error = error

    async def previews(self) -> dict[Work, list[Preview]]:
        """A dry run of all steps."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def of(work: Work) -> list[Preview]:
            async with turn:
                made = [Preview(step) if work.made(step) is not None else None for step in work.steps]
                return [done or await self._preview(step) for done, step in zip(made, work.steps, strict=True)]

        found = await asyncio.gather(*(of(work) for work in self.works))
        self.previewed = dict(zip(self.works, found, strict=True))
        return self.previewed

    async def _preview(self, step: Step) -> Preview:
        write, target = step.tried or step.write, step.target
        if not step.previewed:
            return Preview(step)
        name = write.path, target.key.name
        self.free.discard(name)
        try:
            after, warnings = await self.place.send(write, dry_run=True)
            before = await self._previewed(step, after)
        except KtuiError as error:
            self.refusal = error
            return Preview(step, error=error, warnings=getattr(error, "warnings", ()))
        self.refusal = None
        if write.method == "POST" and step.tried is None:
            self.free.add(name)
        if write.method == "DELETE":
            return Preview(step, before, None, warnings)
        return Preview(step, _counted(before), _counted(after), warnings)

    async def _previewed(self, step: Step, after: JsonObject) -> JsonObject | None:
        """What a dry run changed: the object as it was then, without which somebody else's changes looked like these.

        A dry run answers with the version of what it found.
        """
        write, target = step.write, step.target
        if write.method not in ("PATCH", "PUT"):
            return None
        own = target.kind.gvr.path(*target.key)
        if write.path != own:
            return await self.place.get(target.kind.gvr, target.key, write.path.rpartition("/")[2])
        version = (after.get("metadata") or {}).get("resourceVersion")
        if target.item is not None and target.item["metadata"].get("resourceVersion") == version:
            return target.item
        try:
            return await self.place.get(target.kind.gvr, target.key)
        except NotFound:
            # An apply makes what is not there.
            if write.content_type == APPLY_PATCH:
                return None
            raise

    async def do(self) -> None:
        """Do it, for all targets that can have it done."""
        turn, faults = asyncio.Semaphore(AT_ONCE), list[Exception]()

        async def doing(work: Work) -> None:
            try:
                await work.do(turn)
            except Exception as fault:
                # Those of the others that are under way must come to their ends.
                faults.append(fault)

        async with asyncio.TaskGroup() as group:
            for work in self.works:
                work.results.clear()
                work.said.clear()
                if work.error is not None:
                    work.become(Stage.FAILED)
                else:
                    group.create_task(doing(work))
        if faults:
            raise faults[0]

    def cancel(self) -> None:
        """Begin nothing more, and follow no longer; what is under way comes to its end."""
        self.stopped.set()
        for work in self.works:
            if work.stage is Stage.WAITING:
                work.stage = Stage.CANCELLED
        self.changed()

    def again(self) -> None:
        """Forget how it went where it failed, so that it can be tried again; what is done stays done."""
        self.stopped.clear()
        self.works = [work for work in self.works if work.stage is not Stage.DONE]
        for work in self.works:
            work.stage, work.error = Stage.WAITING, None
            work.failed.clear()


def _counted(item: JsonObject | None) -> JsonObject | None:
    """A scale with its number also where that is zero, which Kubernetes leaves out."""
    if item is None or item.get("kind") != "Scale":
        return item
    return {**item, "spec": {"replicas": 0, **(item.get("spec") or {})}}
