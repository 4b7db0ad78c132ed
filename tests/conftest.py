"""What holds for every test."""

from __future__ import annotations

import gc

from hypothesis import settings

# How long an example takes says how busy the machine is; what must be quick is measured in budgets of its own.
settings.register_profile("ktui", deadline=None)
settings.load_profile("ktui")


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
