"""Draws the pictures in this folder anew, from the embedded cluster: `make screenshots`.

Seed and clock are fixed, so a picture changes only when the screen does.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from textual.pilot import Pilot

from ktui.app import KtuiApp
from ktui.demo.clock import SteppedClock
from ktui.demo.run import serve
from ktui.kube.state import Denied, Live
from ktui.options import Options
from ktui.screens import tables

FOLDER = Path(__file__).parent
SEED = 7
# From the deployments: down to the storefront.
STOREFRONT = ("end",)

# To the image of a container, and what may be written below it.
OFFERED = ("e", "ctrl+g", *"spec.template.spec.containers[0].image", "enter", "end", "enter", "l", "ctrl+@")

# Name, size, theme and keys of each picture.
PICTURES: Sequence[tuple[str, tuple[int, int], str, Sequence[str]]] = (
    ("home", (160, 40), "ktui-dark", STOREFRONT),
    ("narrowed", (160, 40), "ktui-dark", (*STOREFRONT, "enter")),
    ("filter", (160, 40), "ktui-dark", ("4", "slash", *"check")),
    ("details", (160, 45), "ktui-dark", (*STOREFRONT, "up", "up", "up", "d")),
    ("acting", (120, 34), "ktui-dark", (*STOREFRONT, "ctrl+d")),
    (
        "editor",
        (120, 34),
        "ktui-dark",
        (*STOREFRONT, *OFFERED),
    ),
    ("help", (160, 45), "ktui-dark", (*STOREFRONT, "question_mark")),
    ("yaml", (120, 40), "ktui-dark", (*STOREFRONT, "y")),
    ("relations", (120, 30), "ktui-dark", (*STOREFRONT, "d", "4")),
    ("custom-resources", (120, 30), "ktui-dark", ("colon", *"wd", "enter")),
    ("small", (80, 24), "ktui-dark", STOREFRONT),
    ("light", (120, 34), "ktui-light", STOREFRONT),
    ("high-contrast", (120, 34), "ktui-high-contrast", STOREFRONT),
)


async def take_all() -> None:
    """Take every picture, each on a cluster of its own."""
    tables._cost = lambda requests, received: "0.4 req/s  2.1 KB/s"
    for name, size, theme, keys in PICTURES:
        clock = SteppedClock()
        cluster = await serve(seed=SEED, clock=clock)
        with tempfile.NamedTemporaryFile("w", suffix=".kubeconfig") as kubeconfig:
            json.dump(cluster.kubeconfig(), kubeconfig)
            kubeconfig.flush()
            app = KtuiApp(Options(kubeconfig=(Path(kubeconfig.name),), theme=theme), clock=clock.now)
            picture = await take(app, size, keys)
        await cluster.stop()
        (FOLDER / f"{name}.svg").write_text(picture)
        print(f"screenshots/{name}.svg")


async def take(app: KtuiApp, size: tuple[int, int], keys: Sequence[str]) -> str:
    """One picture as SVG.

    Args:
        app: what is looked at.
        size: columns and rows.
        keys: what is pressed before.
    """
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        return app.export_screenshot(title="ktui")


async def settled(pilot: Pilot[None]) -> None:
    """Wait until everything on the page has been listed and painted."""
    while not hasattr(pilot.app, "explorer") or not all(isinstance(state, Live | Denied) for state in _states(pilot)):
        await pilot.pause(0.05)
    # Metrics and the second look at relations come on timers.
    await pilot.pause(0.6)


def _states(pilot: Pilot[None]) -> list[object]:
    page = pilot.app.screen
    return [pane.feed.state for pane in page.panes] if isinstance(page, tables.TableScreen) else []


if __name__ == "__main__":
    asyncio.run(take_all())
