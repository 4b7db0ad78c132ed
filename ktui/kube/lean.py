"""kubernetes-asyncio's configuration without the rest of it.

`import kubernetes_asyncio`, or any module of it, imports 1,200 generated model modules that ktui never uses: a quarter
of a second and 40 MB. Here its packages are entered without running their `__init__`, so that only the modules that
read a kubeconfig are loaded. They stay private: `sys.modules` is left as it was found, and anyone may still import the
whole package.

When a later release is laid out differently, the ordinary import is used instead, which costs time and nothing else.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

log = logging.getLogger(__name__)

PACKAGE = "kubernetes_asyncio"
_PACKAGES = (PACKAGE, f"{PACKAGE}.client", f"{PACKAGE}.config")

_importing = threading.Lock()


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
    """Import them, once; about 40 ms, so call it first in a thread when an event loop is running."""
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
    try:
        for name in _PACKAGES:
            sys.modules[name] = _without_init(name)
        client = sys.modules[f"{PACKAGE}.client"]
        client.Configuration = importlib.import_module(f"{PACKAGE}.client.configuration").Configuration  # type: ignore[attr-defined]
        # kube_config imports the name for functions that ktui does not call; the real one needs every model.
        client.ApiClient = _NotHere  # type: ignore[attr-defined]
        yield
    finally:
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
