"""Complaints: what goes wrong on the command line, in one sentence and a next step."""

from __future__ import annotations

import sys
from typing import TextIO

from ktui.kube.errors import KtuiError


class Usage(KtuiError):  # noqa: N818 - what argparse prints first
    """The arguments do not fit together, which only showed when they were used; exit code 2."""


def complain(error: KtuiError, to: TextIO | None = None) -> None:
    """Print what is wrong and what to do about it.

    Args:
        error: says both.
        to: where; standard error when None.
    """
    print(f"ktui: {error.sentence}", file=to or sys.stderr)
    if error.next_step:
        print(f"      {error.next_step}", file=to or sys.stderr)
