"""Only what is used of kubernetes_asyncio is loaded, and whoever needs the rest finds it as it always was."""

import subprocess
import sys

import pytest

from tests.serve.program import ROOT

REST = """
import asyncio, sys
from core.cluster.api import credentials
library = sorted(name for name in sys.modules if name.startswith("kubernetes_asyncio"))
assert len(library) < 15, library
assert "kubernetes_asyncio.client.models" not in sys.modules
"""
WHOLE = {
    "a client of the library": """
from kubernetes_asyncio import client
assert client.CoreV1Api is sys.modules["kubernetes_asyncio.client.api.core_v1_api"].CoreV1Api
assert client.Configuration is credentials.Configuration
""",
    "its other packages": """
from kubernetes_asyncio import dynamic, watch, __version__
assert dynamic.DynamicClient and watch.Watch and __version__
""",
    "its own way to make a client": """
from kubernetes_asyncio.config import kube_config
async def made():
    from kubernetes_asyncio import client
    config = client.Configuration()
    for _ in range(2):
        one = kube_config.ApiClient(configuration=config)
        assert type(one) is client.ApiClient, type(one)
        await one.close()
asyncio.run(made())
""",
    "what there is not": """
import kubernetes_asyncio
assert not hasattr(kubernetes_asyncio, "__nothing__")
assert not hasattr(kubernetes_asyncio.client, "nothing")
""",
    "the whole before us": """
for name in [name for name in sys.modules if name.startswith(("kubernetes_asyncio", "core."))]:
    del sys.modules[name]
import kubernetes_asyncio
from core.cluster.api import library
assert type(kubernetes_asyncio) is type(sys), "nobody else's library is replaced"
library.install()
assert "kubernetes_asyncio.client.models" in sys.modules
""",
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_dozen_modules_are_loaded_and_the_rest_when_asked_for(name: str):
    done = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", REST + WHOLE[name]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_bot_loads_no_module_of_models():
    script = "import sys, bot.main; assert not [m for m in sys.modules if '.models.v1' in m]"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
