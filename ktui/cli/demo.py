"""`ktui demo`: the embedded cluster alone, until it is interrupted."""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from pathlib import Path

from ktui.kube.errors import ConfigError


def run(arguments: Namespace) -> int:
    """Serve until ctrl+c, which is how it is meant to end.

    Raises:
        ConfigError: it cannot listen, or the kubeconfig cannot be written.
    """
    from ktui.demo.run import run_until_signalled

    path: Path | None = arguments.write_kubeconfig
    if path is not None and path.exists():
        # It is removed at the end, and might be the person's own.
        raise ConfigError(f"{path} exists already.", "Remove it, or name another file for the cluster's kubeconfig.")
    try:
        asyncio.run(
            run_until_signalled(
                port=arguments.port,
                kubeconfig=path,
                seed=arguments.seed,
                nodes=arguments.nodes,
                pods=arguments.pods,
                speed=arguments.speed,
            )
        )
    except OSError as error:
        raise ConfigError(
            f"The embedded cluster cannot start: {os.strerror(error.errno or 0).lower()}.",
            "Choose another --port, or another place for --write-kubeconfig.",
        ) from error
    return 0
