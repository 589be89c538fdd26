"""What the tests of this folder share: an object to apply, a path, and patience."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

Document = dict[str, Any]
DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"


async def eventually(look: Callable[[], Awaitable[Any]], *, within: float = 20.0) -> Any:
    """Return what `look` finds as soon as it is true; an assertion fails if it does not become so."""
    deadline = time.monotonic() + within
    while not (found := await look()):
        assert time.monotonic() < deadline, f"{look.__name__}: not within {within} s"
        await asyncio.sleep(0.05)
    return found


def deployment(name: str, image: str, *, replicas: int = 2, secret: str | None = None) -> Document:
    """Return a Deployment of one container, which needs the Secret if one is named."""
    container: Document = {
        "name": "main",
        "image": image,
        "readinessProbe": {"httpGet": {"path": "/", "port": 3000}, "periodSeconds": 1},
    }
    if secret:
        container["envFrom"] = [{"secretRef": {"name": secret}}]
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
