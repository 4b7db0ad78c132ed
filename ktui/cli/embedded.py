"""The embedded cluster as a child process: started with ktui, ended with it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from ktui.kinds.text import clean
from ktui.kube.errors import ConfigError

LOOK_EVERY = 0.02
"""Seconds between looks for the kubeconfig: the cluster listens about half a second after it was started."""

START_WITHIN = 30.0
END_WITHIN = 2.0


class EmbeddedCluster:
    """A context manager: the cluster starts when entered, is not waited for, and has ended when left.

    It also ends by itself when this process dies: it sees its standard input close.

    Attributes:
        kubeconfig: where its kubeconfig appears as soon as it listens.
    """

    def __enter__(self) -> EmbeddedCluster:
        self._folder = tempfile.TemporaryDirectory(prefix="ktui-demo-")
        self.kubeconfig = Path(self._folder.name, "kubeconfig")
        self._output = Path(self._folder.name, "output")
        command = [sys.executable, "-m", "ktui.demo"]
        command += ["--write-kubeconfig", str(self.kubeconfig), "--parent-pid", str(os.getpid())]
        with self._output.open("wb") as output:
            # In a session of its own, so that the terminal's ctrl+c and ctrl+z are for ktui alone.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._folder.cleanup()

    async def ready(self) -> None:
        """Wait until the cluster listens.

        Raises:
            ConfigError: it ended, or did not begin to listen in time.
        """
        deadline = asyncio.get_running_loop().time() + START_WITHIN
        while not self.kubeconfig.exists():
            if (code := self._process.poll()) is not None:
                raise ConfigError(f"The embedded cluster did not start: {self._last_words() or f'exit code {code}'}.")
            if asyncio.get_running_loop().time() > deadline:
                raise ConfigError(f"The embedded cluster did not start within {START_WITHIN:.0f} seconds.")
            await asyncio.sleep(LOOK_EVERY)

    def _last_words(self) -> str:
        lines = self._output.read_text(errors="replace").strip().splitlines()
        return clean(lines[-1].rstrip(".")) if lines else ""
