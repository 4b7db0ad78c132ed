"""kubernetes-asyncio is imported in part, and nobody is the worse for it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def run(code: str) -> Any:
    """What a fresh Python prints as JSON."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_models_are_not_imported() -> None:
    """Importing what ktui uses loads a few modules, none of the 1,200 generated ones, and leaves no stub behind."""
    found = run("""
import importlib, json, sys
seen = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        seen.append(name)
sys.meta_path.insert(0, Watch())
from ktui.kube.lean import configuration_parts
configuration_parts()
ours = [name for name in seen if name.startswith("kubernetes_asyncio")]
print(json.dumps([ours, [name for name in sys.modules if name.startswith("kubernetes_asyncio")]]))
""")
    imported, left = found
    assert not [name for name in imported if ".models" in name or ".api" in name]
    assert 3 < len(imported) < 20
    assert left == []


def test_whole_package_can_be_imported_afterwards() -> None:
    """Somebody else's `import kubernetes_asyncio` still gives all of it."""
    assert run("""
import json
from ktui.kube.lean import configuration_parts
configuration_parts()
import kubernetes_asyncio
print(json.dumps([kubernetes_asyncio.client.CoreV1Api.__name__, kubernetes_asyncio.client.ApiClient.__name__]))
""") == ["CoreV1Api", "ApiClient"]


def test_whole_package_imported_before_is_used() -> None:
    """Where the package is already there, its own classes are used."""
    assert run("""
import json
import kubernetes_asyncio
from ktui.kube.lean import configuration_parts
print(json.dumps(configuration_parts().Configuration is kubernetes_asyncio.client.Configuration))
""")


def test_another_layout_falls_back_to_the_ordinary_import() -> None:
    """A release whose modules need more than the stand-ins have is imported as usual, and the log says so."""
    assert run("""
import json, logging
from ktui.kube import lean
told = []
logging.getLogger("ktui.kube.lean").warning = lambda text, *args: told.append(text % args)
lean._PACKAGES = ("kubernetes_asyncio", "kubernetes_asyncio.client", "kubernetes_asyncio.moved")
parts = lean.configuration_parts()
import kubernetes_asyncio
print(json.dumps([parts.Configuration is kubernetes_asyncio.client.Configuration, "laid out differently" in told[0]]))
""") == [True, True]


def test_stand_in_fails_loudly() -> None:
    """Nobody can use by mistake what was left out."""
    assert run("""
import json
from ktui.kube import lean
try:
    lean._NotHere(configuration=None)
except NotImplementedError as error:
    print(json.dumps("ApiClient" in str(error)))
""")


def test_light_modules_import_nothing_heavy() -> None:
    """Contexts can be shown, and a client prepared, before aiohttp or kubernetes-asyncio are imported."""
    assert (
        run("""
import json, sys
import ktui.kube.access, ktui.kube.client, ktui.kube.kubeconfig
print(json.dumps([name for name in ("aiohttp", "kubernetes_asyncio", "urllib3") if name in sys.modules]))
""")
        == []
    )


def test_aiohttp_comes_without_contexts_that_nobody_uses() -> None:
    """No certificate authorities are read while it is imported, and nothing of that way stays behind."""
    assert run("""
import json, ssl, sys
read = []
class Context(ssl.SSLContext):
    def load_default_certs(self, *args): read.append("defaults")
    def set_default_verify_paths(self): read.append("paths")
ssl.SSLContext = Context
before = list(sys.meta_path)
from ktui.kube.lean import import_aiohttp
import_aiohttp()
import_aiohttp()
print(json.dumps([read, sys.meta_path == before, "aiohttp" in sys.modules]))
""") == [[], True, True]


def test_whoever_gives_no_context_trusts_nobody() -> None:
    """What was left out must never mean that a certificate goes unchecked."""
    assert run("""
import json
from ktui.kube.lean import import_aiohttp
import_aiohttp()
from aiohttp import connector
print(json.dumps([
    (made.verify_mode.name, made.check_hostname, made.cert_store_stats()["x509_ca"])
    for made in (connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED)
]))
""") == [["CERT_REQUIRED", True, 0], ["CERT_REQUIRED", True, 0]]


def test_another_aiohttp_is_imported_as_it_is() -> None:
    """A release that makes its contexts elsewhere costs time and nothing else."""
    assert (
        run("""
import json
from ktui.kube import lean
lean._make_ssl_context.__code__ = lean._make_ssl_context.__code__.replace(co_name="_moved")
lean.import_aiohttp()
from aiohttp import connector
print(json.dumps(connector._SSL_CONTEXT_VERIFIED.verify_mode.name))
""")
        == "CERT_REQUIRED"
    )


def test_urllib3_is_left_as_it_was() -> None:
    """It is named by the modules that read a kubeconfig, and neither needed nor replaced."""
    assert run("""
import json, sys
from ktui.kube.lean import configuration_parts
configuration_parts()
before = "urllib3" in sys.modules
import urllib3
print(json.dumps([before, urllib3.PoolManager.__name__]))
""") == [False, "PoolManager"]
