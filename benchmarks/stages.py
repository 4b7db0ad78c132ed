"""What a program is doing, told from its stack: the stages between bytes and a painted cell."""

from __future__ import annotations

from functools import cache
from types import CodeType, FrameType

IMPORTS, NETWORK, DECODE, STORE = "imports and configuration", "network", "decode", "store"
MODEL, PAINT, WRITE, LOOP = "model", "paint", "write", "event loop and the rest"

STAGES = {
    IMPORTS: "Python itself, modules, the kubeconfig, certificates",
    NETWORK: "client, aiohttp, TLS, decompression",
    DECODE: "bytes to objects and rows",
    STORE: "reflectors, stores, feeds, joins",
    MODEL: "order, filters, cells, what belongs together",
    PAINT: "styles, layout, lines, composition",
    WRITE: "to the terminal",
    LOOP: "asyncio, and what no rule names",
}
"""The stages, in the order in which bytes go through them, and what belongs to each."""

_RULES = (
    ("<frozen importlib", IMPORTS),
    ("/yaml/", IMPORTS),
    ("/kubernetes_asyncio/", IMPORTS),
    ("/ktui/kube/kubeconfig", IMPORTS),
    ("/ktui/kube/connection", IMPORTS),
    ("/ktui/kube/client", NETWORK),
    ("/ktui/kube/line", NETWORK),
    ("/ktui/kube/call", NETWORK),
    ("/ktui/kube/credentials", NETWORK),
    ("/ktui/kube/meter", NETWORK),
    ("/ktui/kube/proxy", NETWORK),
    ("/aiohttp/", NETWORK),
    ("/yarl/", NETWORK),
    ("/asyncio/sslproto", NETWORK),
    ("/asyncio/selector_events", NETWORK),
    ("/asyncio/streams", NETWORK),
    ("/ssl.py", NETWORK),
    ("/asyncio/", LOOP),
    ("/ktui/kube/list_watch", DECODE),
    ("/ktui/kube/lean", DECODE),
    ("/ktui/kube/", STORE),
    ("/ktui/kinds/", MODEL),
    ("/ktui/widgets/table_model", MODEL),
    ("/ktui/widgets/table_filter", MODEL),
    ("/ktui/widgets/row_order", MODEL),
    ("/ktui/widgets/cells", MODEL),
    ("/ktui/terminal", WRITE),
    ("/textual/drivers/", WRITE),
    ("/ktui/widgets/", PAINT),
    ("/ktui/screens/", PAINT),
    ("/ktui/app.py", PAINT),
    ("/ktui/explorer.py", PAINT),
    ("/textual/", PAINT),
    ("/rich/", PAINT),
)
"""Parts of a file's path, the first of which that fits decides."""


def stage_of(frame: FrameType | None) -> tuple[str, str]:
    """The stage of the innermost function that belongs to one, and that function as `module:name`.

    Args:
        frame: the innermost frame of the stack.
    """
    while frame is not None:
        code = frame.f_code
        if stage := _stage_of_code(code.co_filename, code.co_name):
            return stage, _place(code)
        frame = frame.f_back
    return LOOP, ""


def _place(code: CodeType) -> str:
    if code.co_filename.startswith("<frozen importlib"):
        return "importlib"
    return f"{code.co_filename.rpartition('/')[2].removesuffix('.py')}:{code.co_name}"


@cache
def _stage_of_code(path: str, name: str) -> str:
    """The stage of a function; empty when whoever called it decides."""
    if name == "<module>":
        return IMPORTS
    return next((stage for part, stage in _RULES if part in path), "")
