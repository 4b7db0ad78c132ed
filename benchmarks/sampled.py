"""ktui, with a note for about every millisecond of what its CPU went to.

    python -m benchmarks.sampled OUTPUT ARGUMENTS...

Function calls are not slowed down, as they would be by a profiler that looks at each. The main thread is interrupted as
it uses CPU; another thread looks at all others. What one has used since the last look is charged to where it stands.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import msgspec

from benchmarks.stages import IMPORTS, stage_of

EVERY = 0.001
"""Seconds between looks."""


class Spent(msgspec.Struct, gc=False):
    """CPU that went somewhere.

    Attributes:
        when: until when, in seconds of `time.perf_counter`.
        seconds: of CPU.
        stage: the stage it went to.
        place: the function that decided the stage; empty for none.
    """

    when: float
    seconds: float
    stage: str
    place: str


class Sampler(threading.Thread):
    """Notes where the CPU of this process goes, its own left out.

    Attributes:
        spent: what has been noted, beginning with what Python took to start.
    """

    def __init__(self) -> None:
        super().__init__(name="sampler", daemon=True)
        self._main = threading.get_ident()
        self.spent = [Spent(time.perf_counter(), time.process_time(), IMPORTS, "python")]
        self._used = {self._main: time.thread_time()}
        self._stopped = False
        # When it waits, a look at the main thread would find it waiting, whatever it did before.
        signal.signal(signal.SIGPROF, lambda _, frame: self._charge(self._main, frame))
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def run(self) -> None:
        """Look at all other threads until stopped."""
        while not self._stopped:
            time.sleep(EVERY)
            for thread, frame in sys._current_frames().items():
                if thread not in (self._main, self.ident):
                    self._charge(thread, frame)

    def stop(self) -> None:
        """Look no longer."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._stopped = True
        self.join()

    def _charge(self, thread: int, frame: FrameType | None) -> None:
        used = time.clock_gettime(time.pthread_getcpuclockid(thread))
        if (seconds := used - self._used.get(thread, 0.0)) > 0:
            self._used[thread] = used
            self.spent.append(Spent(time.perf_counter(), seconds, *stage_of(frame)))


def main() -> None:
    """Run ktui, and write down what was noted when it ends."""
    output, *arguments = sys.argv[1:]
    # A thread that computes lets others in this often; it would be every 5 ms.
    sys.setswitchinterval(EVERY)
    sampler = Sampler()
    sampler.start()
    from ktui.__main__ import main as ktui

    sys.argv[1:] = arguments
    try:
        ktui()
    finally:
        sampler.stop()
        Path(output).write_bytes(msgspec.json.encode(sampler.spent))


if __name__ == "__main__":
    main()
