"""kubernetes_asyncio without what is generated of it: of its 900 modules a dozen are used, the others cost 36 MB and 0.3 s.

The library's packages import all of themselves. Here each stands in `sys.modules` without having been run: its modules can be
imported one by one, and whoever asks for any other name of it gets the whole.
"""

import sys
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

LIBRARY = "kubernetes_asyncio"


class PartialPackage(ModuleType):
    """A package that is run when a name is asked for that it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        # The library asks itself for its version while it is loaded.
        if name == "__version__":
            return version(LIBRARY)
        # What the import system and debuggers ask every module for is no reason to run one.
        if name.startswith("__") and name != "__all__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if find_spec(f"{self.__name__}.{name}") is not None:
            return import_module(f"{self.__name__}.{name}")
        run(self)
        return getattr(self, name)


class PostponedApiClient:
    """Stands for the library's ApiClient where it is imported and not used; to make one is to load the whole library."""

    def __new__(cls, *arguments: Any, **keywords: Any) -> Any:
        client = sys.modules[f"{LIBRARY}.client"]
        if isinstance(client, PartialPackage):
            run(client)
        return client.ApiClient(*arguments, **keywords)


def run(package: ModuleType) -> None:
    """Let a package be what it would be without us."""
    package.__class__ = ModuleType
    spec = package.__spec__
    assert spec is not None, "it was made from its spec"
    assert spec.loader is not None, "a package with a file has a loader"
    spec.loader.exec_module(package)


def install() -> None:
    """Put the two packages in place, unless somebody has imported the library already."""
    if LIBRARY in sys.modules:
        return
    _put(LIBRARY)
    client = _put(f"{LIBRARY}.client")
    client.Configuration = import_module(f"{LIBRARY}.client.configuration").Configuration
    client.ApiClient = PostponedApiClient


def _put(name: str) -> Any:
    spec = find_spec(name)
    assert spec is not None, f"{name} is installed with the bot"
    package = module_from_spec(spec)
    package.__class__ = PartialPackage
    sys.modules[name] = package
    return package
