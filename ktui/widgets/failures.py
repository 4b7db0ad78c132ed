"""What happens when a worker fails in a way that nobody foresaw: it is said and logged, and the page goes on."""

from __future__ import annotations

import logging
from typing import cast

from textual.widget import Widget
from textual.worker import Worker, WorkerState

log = logging.getLogger(__name__)


class FailuresSaid:
    """Mixed into widgets and screens whose workers run with `exit_on_error=False`, or their failures would be lost."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say that a worker failed."""
        if event.state is not WorkerState.ERROR:
            return
        worker, error = event.worker, event.worker.error
        log.error("worker %s failed", worker.group, exc_info=error)
        cast(Widget, self).notify(
            f"Unexpected failure ({type(error).__name__}) in {worker.group}; the log file says more.",
            severity="error",
            markup=False,
        )
