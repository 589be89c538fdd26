"""Raw requests through kubernetes_asyncio, and the objects the tests apply."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from typing import Any, Self

from kubernetes_asyncio import client, config

from core.clock import Clock

Document = dict[str, Any]
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"
PODS = "/api/v1/namespaces/shop/pods"
REPLICA_SETS = "/apis/apps/v1/namespaces/shop/replicasets"
EVENTS = "/api/v1/namespaces/shop/events"


class Answer(dict[str, Any]):
    """A document with the HTTP status it came with."""

    code: int = 0


class Client:
    def __init__(self, api: client.ApiClient, clock: Clock) -> None:
        self.api = api
        self.clock = clock

    @classmethod
    async def connect(cls, cluster: Any, clock: Clock, token: str = "convox-bot") -> "Client":
        configuration = client.Configuration()
        await config.load_kube_config_from_dict(cluster.kubeconfig(token), client_configuration=configuration)
        return cls(client.ApiClient(configuration), clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.api.close()

    async def request(
        self, method: str, path: str, body: Any = None, media: str = "application/json", **query: Any
    ) -> Answer:
        headers = {"Accept": "application/json", "Content-Type": media, "User-Agent": "kubectl/v1.37"}
        await self.api.update_params_for_auth(headers, [], ["BearerToken"])
        session = self.api.rest_client.pool_manager
        url = self.api.configuration.host + path
        data = None if body is None else json.dumps(body)
        async with session.request(method, url, params=query, data=data, headers=headers) as response:
            raw = await response.read()
            answer = Answer(json.loads(raw) if raw and response.content_type == "application/json" else {})
            answer.code = response.status
            answer["_text"] = raw.decode()
            return answer

    async def get(self, path: str, **query: Any) -> Answer:
        return await self.request("GET", path, **query)

    async def items(self, path: str, **query: Any) -> list[Document]:
        found: list[Document] = (await self.get(path, **query))["items"]
        return found

    async def apply_json(
        self, path: str, body: Document, manager: str = "convox-bot", *, force: bool = False, **query: Any
    ) -> Answer:
        flags = {"fieldManager": manager, **({"force": "true"} if force else {}), **query}
        return await self.request("PATCH", path, body, "application/apply-patch+yaml", **flags)

    async def apply(self, body: Document, manager: str = "convox-bot", **query: Any) -> Answer:
        return await self.apply_json(DEPLOYMENT, body, manager, **query)

    async def watch(self, path: str, **query: Any) -> AsyncIterator[Document]:
        headers: dict[str, str] = {"Accept": "application/json"}
        await self.api.update_params_for_auth(headers, [], ["BearerToken"])
        session = self.api.rest_client.pool_manager
        params = {"watch": "true", **query}
        url = self.api.configuration.host + path
        async with session.get(url, params=params, headers=headers) as response:
            if response.status != 200:
                yield {"type": "HTTP", "code": response.status, "object": await response.json()}
                return
            async for line in response.content:
                yield json.loads(line)

    async def until(
        self, look: Callable[[], Awaitable[Any]], seconds: float = 120.0, what: str = "it"
    ) -> Any:
        """Look again and again until there is something, for so many seconds of the cluster's clock."""
        ends = self.clock.monotonic() + seconds
        while self.clock.monotonic() < ends:
            found = await look()
            if found:
                return found
            await self.clock.sleep(0.05)
        raise AssertionError(f"{what} did not happen within {seconds} s")

    async def complete(self, seconds: float = 120.0) -> Document:
        async def look() -> Document | None:
            deployment = await self.get(DEPLOYMENT)
            return deployment if is_complete(deployment) else None

        return await self.until(look, seconds, "a complete rollout")

    async def quiet(self) -> None:
        """Wait until no pod is left over or being deleted."""

        async def look() -> bool | None:
            deployment = await self.get(DEPLOYMENT)
            return len(await self.items(PODS)) == deployment["spec"]["replicas"] or None

        await self.until(look, what="quiet")


def is_complete(deployment: Document) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return seen and all(count == wanted for count in counts)


def reason(deployment: Document, kind: str = "Progressing") -> str | None:
    conditions = deployment.get("status", {}).get("conditions", [])
    return next((each["reason"] for each in conditions if each["type"] == kind), None)


def deployment(tag: str = "v1", replicas: int | None = None, **spec: Any) -> Document:
    body: Document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "progressDeadlineSeconds": 60,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "serviceAccountName": "default",
                    "containers": [
                        {
                            "name": "main",
                            "image": f"registry.example/shop/web:{tag}",
                            "ports": [{"containerPort": 8080}],
                            "readinessProbe": {
                                "httpGet": {"path": "/healthz", "port": 8080},
                                "periodSeconds": 2,
                            },
                        }
                    ],
                },
            },
            **deepcopy(spec),
        },
    }
    if replicas is not None:
        body["spec"]["replicas"] = replicas
    return body


async def first(stream: AsyncIterator[Document], fits: Callable[[Document], bool]) -> Document:
    """Return the first event of a watch that fits, within a few seconds."""
    async with asyncio.timeout(10):
        async for event in stream:
            if fits(event):
                return event
    raise AssertionError("the watch ended before")
