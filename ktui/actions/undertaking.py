"""Undertaking: an action on its targets, from the first look to the end of what it set in motion.

Nothing is retried blindly. What was refused stays refused until the person asks again; a server that asks to wait is
waited for, as it has done nothing; and when no answer came, nobody knows whether the write was done, so it is looked
up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from ktui.actions.action import Action, Cluster, JsonObject, Refusal, Said, Step, Target
from ktui.actions.form import Values
from ktui.actions.place import Place
from ktui.kinds.tone import Tone
from ktui.kube.errors import (
    ApiError,
    BadRequest,
    ConnectionFailed,
    KtuiError,
    NotFound,
    ServerTimeout,
    TooManyRequests,
    Unavailable,
)

log = logging.getLogger(__name__)

AT_ONCE = 5
"""Targets that are written to side by side."""

MOST_WAITS, LONGEST_WAIT = 5, 30.0
"""How often a server that asks to wait is waited for, and how many seconds at most each time."""

LOOKS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each look at what became of a write that nobody answered."""


LOOKS_UNDONE = 3
"""Looks in a row after which something counts as not done."""


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
        error: why it failed.
        results: what the server answered to each step.
    """

    undertaking: Undertaking
    target: Target
    steps: Sequence[Step] = ()
    stage: Stage = Stage.WAITING
    said: dict[str, Said] = field(default_factory=dict)
    error: KtuiError | None = None
    results: list[JsonObject] = field(default_factory=list)

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
                if self.undertaking.cancelled:
                    self.become(Stage.CANCELLED)
                    return
                self.become(Stage.WRITING)
                for step in self.steps:
                    self.results.append(await self.write(step))
            await self._follow()
            self.become(Stage.DONE)
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

    async def _follow(self) -> None:
        follow = self.undertaking.action.follow
        if follow is None or self.undertaking.cancelled:
            return
        self.become(Stage.FOLLOWING)
        async with aclosing(follow(self)) as told:
            stop = asyncio.ensure_future(self.undertaking.stopped.wait())
            try:
                while (said := await _next(told, stop)) is not None:
                    self.tell(said)
            finally:
                stop.cancel()
        if self.undertaking.cancelled:
            self.tell(Said("No longer followed.", Tone.FINISHED))

    async def write(self, step: Step) -> JsonObject:
        """Do one step, and keep it in the journal.

        Raises:
            KtuiError: it failed, which is kept too.
        """
        before = await self._before(step)
        try:
            after = await self._sent(step)
        except (ConnectionFailed, ServerTimeout) as error:
            looked_up = await self._looked_up(step, before, error)
            self._keep(step, before, after=looked_up)
            return looked_up
        except KtuiError as error:
            self._keep(step, before, error=error)
            raise
        self._keep(step, before, after=after)
        return after

    async def _before(self, step: Step) -> JsonObject | None:
        """The object that a step changes: as it was read when the action began, or what the last step made of it."""
        if step.write.method == "POST":
            return None
        path = step.target.kind.gvr.path(*step.target.key)
        if step.write.path != path:
            return step.target.item
        newest = [item for item in self.results if item.get("kind") == step.target.kind.kind]
        return newest[-1] if newest else step.target.item

    async def _sent(self, step: Step) -> JsonObject:
        """The server's answer; while it asks to wait, that is said and done."""
        for waits in range(MOST_WAITS + 1):
            try:
                return (await self.undertaking.place.send(step.write))[0]
            except (TooManyRequests, Unavailable) as error:
                budget = any(cause.reason == "DisruptionBudget" for cause in error.details.causes)
                if error.retry_after is None or budget or waits == MOST_WAITS or error.retry_after > LONGEST_WAIT:
                    raise
                wait = error.retry_after
            self.tell(Said(f"The cluster asks to wait {wait:g} s; then it is tried again.", Tone.WARNING))
            await asyncio.sleep(wait)
        raise AssertionError

    async def _looked_up(self, step: Step, before: JsonObject | None, error: KtuiError) -> JsonObject:
        """The object when the write turns out to have been done.

        Raises:
            KtuiError: it was not done, or nobody knows.
        """
        self.tell(Said(f"{error.sentence} Nobody knows yet whether it was done; ktui looks.", Tone.WARNING))
        seen_undone = 0
        for wait in LOOKS:
            await asyncio.sleep(wait)
            try:
                done = await self._was_done(step, before)
            except (ConnectionFailed, ServerTimeout, Unavailable, TooManyRequests) as again:
                log.debug("not looked up yet: %s", again)
                continue
            if done is not None:
                self.tell(Said("It was done, although no answer came.", Tone.GOOD))
                return done
            # A server that was too slow to answer may still be about to do it.
            seen_undone += 1
            if seen_undone < LOOKS_UNDONE:
                continue
            failed = NotDone(error)
            self._keep(step, before, error=failed)
            raise failed
        unknown = OutcomeUnknown(error)
        self._keep(step, before, error=unknown, unknown=True)
        raise unknown

    async def _was_done(self, step: Step, before: JsonObject | None) -> JsonObject | None:
        """The object as it is, if it is as the step wants it."""
        target, write = step.target, step.write
        try:
            now = await self.undertaking.place.get(target.kind.gvr, target.key)
        except NotFound:
            return {} if write.method == "DELETE" or write.path.endswith("/eviction") else None
        meta = now["metadata"]
        if write.method == "DELETE" or write.path.endswith("/eviction"):
            gone = bool(meta.get("deletionTimestamp")) or (target.uid and meta.get("uid") != target.uid)
            return now if gone else None
        if write.method == "POST":
            # Only what was made by this very write: another object of that name was refused by the dry run.
            return now
        if before is not None and meta.get("resourceVersion") == before["metadata"].get("resourceVersion"):
            return None
        # It is as wanted when doing it again would change nothing.
        again, _ = await self.undertaking.place.send(write, dry_run=True)
        return now if _same(now, again) else None

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
        undertaking.keep(Written(undertaking.action, step, before, after, error, unknown, undertaking.batch))


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

    async def read(self) -> None:
        """Read all targets anew; of one that cannot be read, its work keeps the error.

        Raises:
            KtuiError: the only one there is cannot be read.
        """
        turn = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._read(work, turn) for work in self.works))
        self.changed()
        if len(self.works) == 1 and (error := self.works[0].error) is not None:
            raise error

    async def _read(self, work: Work, turn: asyncio.Semaphore) -> None:
        work.error, target = None, work.target
        if self.action.creates:
            return
        async with turn:
            try:
                item = await self.place.get(target.kind.gvr, target.key)
            except KtuiError as error:
                work.error = error
                return
        uid = str(item["metadata"].get("uid", ""))
        if target.uid and uid and uid != target.uid:
            work.error = Refusal(
                f"{target.said} is not the one you chose: it was deleted, and another one has its name.",
                "Close this, look at the new one, and begin again.",
            )
            return
        work.target = Target(target.kind, target.key, uid, item)

    def plan(self) -> None:
        """Make the steps of each target from the values; a refusal becomes its work's error."""
        for work in self.works:
            if isinstance(work.error, Refusal) or work.target.item is not None or self.action.creates:
                work.error = None
            if work.error is not None:
                continue
            try:
                work.steps = tuple(self.action.plan(work.target, self.values))
            except KtuiError as error:
                work.steps, work.error = (), error

    async def previews(self) -> dict[Work, list[Preview]]:
        """A dry run of all steps."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def of(work: Work) -> list[Preview]:
            async with turn:
                return [await self._preview(step) for step in work.steps]

        found = await asyncio.gather(*(of(work) for work in self.works))
        return dict(zip(self.works, found, strict=True))

    async def _preview(self, step: Step) -> Preview:
        write, target = step.write, step.target
        if not step.previewed:
            return Preview(step)
        try:
            before = None
            if write.method in ("PATCH", "PUT"):
                own = write.path == target.kind.gvr.path(*target.key)
                subresource = "" if own else write.path.rpartition("/")[2]
                before = await self.place.get(target.kind.gvr, target.key, subresource) if subresource else target.item
            after, warnings = await self.place.send(write, dry_run=True)
        except KtuiError as error:
            return Preview(step, error=error, warnings=getattr(error, "warnings", ()))
        return Preview(step, before, None if write.method == "DELETE" else after, warnings)

    async def do(self) -> None:
        """Do it, for all targets that can have it done."""
        turn = asyncio.Semaphore(AT_ONCE)
        begun = []
        for work in self.works:
            if work.error is not None:
                work.become(Stage.FAILED)
            else:
                work.results.clear()
                work.said.clear()
                begun.append(work.do(turn))
        async with asyncio.TaskGroup() as group:
            for doing in begun:
                group.create_task(doing)

    def cancel(self) -> None:
        """Begin nothing more, and follow no longer; what is under way comes to its end."""
        self.stopped.set()
        self.changed()

    def again(self) -> None:
        """Forget how it went where it failed, so that it can be tried again; what is done stays done."""
        self.stopped.clear()
        self.works = [work for work in self.works if work.stage is not Stage.DONE]
        for work in self.works:
            work.stage, work.error = Stage.WAITING, None


_SERVER_OWNED = ("resourceVersion", "managedFields", "generation")


def _same(one: JsonObject, other: JsonObject) -> bool:
    """Whether two objects differ in nothing but what the server counts."""
    return _content(one) == _content(other)


def _content(item: JsonObject) -> JsonObject:
    meta = {key: value for key, value in item["metadata"].items() if key not in _SERVER_OWNED}
    return {**item, "metadata": meta, "status": None}
