"""Where kubeconfigs are looked for: known before anything is imported that reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

DEFAULT_PATH: Final = "~/.kube/config"


def kubeconfig_paths(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The files kubectl reads when none is named: those of $KUBECONFIG, else ~/.kube/config."""
    named = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return tuple(dict.fromkeys(Path(part).expanduser() for part in named or [DEFAULT_PATH]))
