"""The door: `ktui`, `kubectl ktui` and `python -m ktui`.

Nothing is imported before it is needed: `ktui --version` costs what Python costs, `ktui get` knows nothing of Textual.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ktui.cli.arguments import parse

FAILED, BAD_USAGE, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run ktui.

    Args:
        argv: the arguments without the program's name; those of the process when None.

    Returns:
        The exit code: 0, 1 for a failed operation, 2 for bad usage, 130 when interrupted with ctrl+c.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        arguments = parse(words)
        command = import_module(f"ktui.cli.{arguments.command}")
        code: int = command.run(arguments)
        sys.stdout.flush()
    except SystemExit as leaving:
        # argparse has said what there is to say.
        return leaving.code if isinstance(leaving.code, int) else BAD_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _abandon_output()
        return 0
    except Exception as error:
        return _explain(error, words)
    return code


def _explain(error: Exception, words: Sequence[str]) -> int:
    """Say what went wrong: a sentence and a next step, or where the report of a crash is."""
    from ktui.cli.complaint import Usage, complain
    from ktui.kube.errors import KtuiError

    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        _abandon_output()
        error = KtuiError("The output cannot be written: no space is left there.", "Write it elsewhere.")
    if isinstance(error, KtuiError):
        complain(error)
        return BAD_USAGE if isinstance(error, Usage) else FAILED
    from ktui.crash import report_crash

    print(report_crash(error, words), file=sys.stderr)
    return FAILED


def _abandon_output() -> None:
    """Let what is still to be written go nowhere: Python would fail once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
