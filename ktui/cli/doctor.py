"""`ktui doctor`: what ktui sees of the configuration, the cluster and the terminal."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Iterable
from typing import TextIO

from ktui.cli.arguments import kubeconfig_of
from ktui.cli.checks.cluster import check_cluster
from ktui.cli.checks.configuration import check_files, check_target
from ktui.cli.checks.finding import Finding, failed
from ktui.cli.checks.terminal import check_terminal, check_versions
from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.kube.errors import KtuiError
from ktui.kube.kubeconfig import load_kubeconfig
from ktui.logs import start_logging


def run(arguments: Namespace) -> int:
    """Print one line for each thing that was looked at; 1 when ktui cannot work like this."""
    start_logging(arguments.log_file)
    # What is said about letters must be readable without them.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    report = Report(sys.stdout)
    report.section("ktui", check_versions())
    _examine_cluster(report, arguments)
    report.section("Terminal", check_terminal())
    return 1 if report.failed else 0


class Report:
    """Findings, printed as they come.

    Args:
        to: where.

    Attributes:
        failed: whether ktui cannot work like this.
    """

    def __init__(self, to: TextIO) -> None:
        self.failed = False
        self._to = to

    def section(self, title: str, findings: Iterable[Finding] = ()) -> None:
        """Begin a group of findings."""
        print(title, file=self._to)
        for finding in findings:
            self.tell(finding)

    def tell(self, finding: Finding) -> None:
        """Print a finding and, where something is wrong, what to do about it."""
        self.failed = self.failed or finding.tone is Tone.FAILED
        print(f"  {finding.tone.value} {clean(finding.text)}", file=self._to, flush=True)
        if finding.next_step:
            print(f"    → {clean(finding.next_step)}", file=self._to)


def _examine_cluster(report: Report, arguments: Namespace) -> None:
    """The configuration and, as far as there is one, the cluster it names."""
    report.section("Configuration")
    try:
        kubeconfig = load_kubeconfig(kubeconfig_of(arguments))
    except KtuiError as error:
        report.tell(failed(error.sentence, error.next_step))
        return
    for finding in (*check_files(kubeconfig), *check_target(kubeconfig, arguments.context)):
        report.tell(finding)
    try:
        kubeconfig.target(arguments.context)
    except KtuiError:
        return  # told above

    async def ask() -> None:
        async for finding in check_cluster(kubeconfig, arguments.context, arguments.namespace):
            report.tell(finding)

    report.section("Cluster")
    asyncio.run(ask())
