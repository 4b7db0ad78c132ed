"""The libraries that talk, without what ktui never uses of them: it waits for these imports on every start.

`import kubernetes_asyncio`, or any module of it, imports 1,200 generated model modules: a quarter of a second and
40 MB. Here its packages are entered without running their `__init__`, so that only the modules that read a kubeconfig
are loaded; urllib3, which they name and do not need for that, is left out. They stay private: `sys.modules` is left as
it was found, and anyone may still import the whole package.

`import aiohttp` reads the system's certificate authorities twice, 45 ms, for two TLS contexts that serve where none is
given. ktui always gives one (connection.py), so they are made without: whoever relied on them would trust nobody.

When a later release is laid out differently, the ordinary import is used instead, which costs time and nothing else.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, NamedTuple, NoReturn

log = logging.getLogger(__name__)

PACKAGE = "kubernetes_asyncio"
_PACKAGES = (PACKAGE, f"{PACKAGE}.client", f"{PACKAGE}.config")

_CONNECTOR = "aiohttp.connector"

_importing = threading.Lock()


def import_aiohttp() -> None:
    """Import aiohttp, once; about 50 ms, so call it first in a thread when an event loop is running."""
    with _importing:
        sys.meta_path.insert(0, _ConnectorFinder)
        try:
            importlib.import_module("aiohttp")
        finally:
            sys.meta_path.remove(_ConnectorFinder)


class ConfigurationParts(NamedTuple):
    """What ktui uses of kubernetes-asyncio.

    Attributes:
        Configuration: where a server is, how to trust it, and how to prove who asks.
        KubeConfigLoader: fills a Configuration from a kubeconfig's content.
        ConfigException: what it raises.
    """

    Configuration: Any
    KubeConfigLoader: Any
    ConfigException: type[Exception]


@cache
def configuration_parts() -> ConfigurationParts:
    """Import them, once; about 10 ms, so call it first in a thread when an event loop is running."""
    with _importing:
        if PACKAGE in sys.modules:
            return _import_parts()
        try:
            with _private_packages():
                return _import_parts()
        except (ImportError, AttributeError, OSError) as error:
            log.warning("%s is laid out differently (%s); importing all of it", PACKAGE, error)
        return _import_parts()


def _import_parts() -> ConfigurationParts:
    loading = importlib.import_module(f"{PACKAGE}.config.kube_config")
    return ConfigurationParts(loading.Configuration, loading.KubeConfigLoader, loading.ConfigException)


@contextmanager
def _private_packages() -> Iterator[None]:
    """Stand in for the packages while their modules are imported, then leave no trace in `sys.modules`."""
    lacking = "urllib3" not in sys.modules
    try:
        for name in _PACKAGES:
            sys.modules[name] = _without_init(name)
        if lacking:
            # Named for the header of a password, which KubeConfigLoader makes by itself.
            sys.modules["urllib3"] = _Missing("urllib3")
        client = sys.modules[f"{PACKAGE}.client"]
        client.Configuration = importlib.import_module(f"{PACKAGE}.client.configuration").Configuration  # type: ignore[attr-defined]
        # kube_config imports the name for functions that ktui does not call; the real one needs every model.
        client.ApiClient = _NotHere  # type: ignore[attr-defined]
        yield
    finally:
        if lacking:
            sys.modules.pop("urllib3", None)
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def _without_init(name: str) -> ModuleType:
    """The package `name`, so far empty, whose modules can be imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"there is no package {name}", name=name)
    return importlib.util.module_from_spec(spec)


class _NotHere:
    def __init__(self, *args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError(f"ktui imports {PACKAGE}'s configuration only, not its ApiClient")


class _Missing(ModuleType):
    def __getattr__(self, name: str) -> NoReturn:
        raise NotImplementedError(f"ktui imports {PACKAGE}'s configuration only, without {self.__name__}.{name}")


class _ConnectorFinder:
    """Finds aiohttp's connector and nothing else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _CONNECTOR:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _ConnectorLoader(name, spec.loader.path)
        return spec


class _ConnectorLoader(SourceFileLoader):
    """Loads aiohttp's connector with another way to make the contexts for those who give none."""

    def get_code(self, fullname: str) -> CodeType | None:
        code = super().get_code(fullname)
        instead = _make_ssl_context.__code__
        return code and code.replace(
            co_consts=tuple(
                instead if isinstance(part, CodeType) and _signature(part) == _signature(instead) else part
                for part in code.co_consts
            )
        )


def _make_ssl_context(verified: bool) -> Any:
    # Runs in the connector, where `ssl` is imported. A context like this accepts no certificate.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # type: ignore[name-defined]  # noqa: F821


def _signature(code: CodeType) -> tuple[str, tuple[str, ...]]:
    return code.co_name, code.co_varnames[: code.co_argcount]
