"""What a container does in the playground that clones: nothing is fetched, and the bot is told what a made-up repository has.

What becomes of it is said by words in its address: `refused` is a host that takes no token, `private` one that wants any,
`nowhere` a repository that is not there, `nomanifest` one without a convox.yml, `broken` one whose Dockerfile fails. A branch
with `gone` in its name is not there. All others have one service.
"""

import hashlib
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.playground.kubelet.behaviour import Behaviour

Document = dict[str, Any]
GIT_REFUSED = 3
_SECONDS = 2.0
_PAUSES = (1.0, 2.0, 4.0, 8.0, 0.0)
_PATIENCE = aiohttp.ClientTimeout(total=10)
_MANIFEST = "services:\n  web:\n    build: {path}\n    port: 3000\n"
_REFUSALS = (
    ("refused", "fatal: Authentication failed for '{url}/'"),
    ("nowhere", "remote: Repository not found.\nfatal: repository '{url}/' not found"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneRequest:
    """What the first container of a build is to clone, and whom it tells.

    Attributes:
        secret: the Secret with the build's token.
        token: the key of that in it.
        git_token: the key in it of the token for git, "" where there is none.
        needs_git_token: without that key the container is not started.
    """

    url: str
    ref: str
    commit: str
    address: str
    secret: str
    token: str = field(repr=False)
    git_token: str = field(default="", repr=False)
    needs_git_token: bool = False

    @property
    def refusal(self) -> str:
        """What git writes where it clones nothing, else ""."""
        for word, said in _REFUSALS:
            if word in self.url:
                return said.format(url=self.url)
        if "private" in self.url and not self.git_token:
            host = "/".join(self.url.split("/")[:3])
            return f"fatal: could not read Username for '{host}': terminal prompts disabled"
        return f"fatal: couldn't find remote ref {self.ref}" if "gone" in self.ref else ""

    @property
    def body(self) -> bytes:
        """What is told of the made-up repository."""
        sha = self.commit or hashlib.sha1(f"{self.url} {self.ref}".encode()).hexdigest()  # noqa: S324 - as git's
        manifest = _MANIFEST.format(path="broken" if "broken" in self.url else ".")
        text = "" if "nomanifest" in self.url else manifest
        return f"{sha}\nAda Lovelace\n2026-01-02T03:04:05+00:00\nMend the cart\n0\n{text}".encode()


def clone_request(pod: Document) -> CloneRequest | None:
    """Return what a pod is to clone, None where it clones nothing."""
    for container in pod["spec"].get("initContainers") or ():
        given = {each["name"]: each for each in container.get("env") or ()}
        if "CLONE_URL" in given:
            values: Mapping[str, str] = {name: each.get("value", "") for name, each in given.items()}
            own = given["SOURCE_TOKEN"]["valueFrom"]["secretKeyRef"]
            of_git = given["GIT_TOKEN"]["valueFrom"]["secretKeyRef"] if "GIT_TOKEN" in given else {}
            return CloneRequest(
                url=values["GIT_URL"],
                ref=values["GIT_REF"],
                commit=values["GIT_COMMIT"],
                address=values["CLONE_URL"],
                secret=own["name"],
                token=own["key"],
                git_token=of_git.get("key", ""),
                needs_git_token=bool(of_git) and not of_git.get("optional"),
            )
    return None


def clone_behaviour(container: Document) -> Behaviour | None:
    """Return what a container does that clones, once its bot was told; None for any other."""
    asked = clone_request({"spec": {"initContainers": [container]}})
    if asked is None:
        return None
    if said := asked.refusal:
        return Behaviour(exits_after=_SECONDS, exit_code=GIT_REFUSED, reason="Error", message=f"{said}\n")
    if "untold" in container:
        return Behaviour(exits_after=_SECONDS, exit_code=1, reason="Error", message=container["untold"])
    return Behaviour(exits_after=_SECONDS)


def as_started(pod: Document, asked: CloneRequest, keys: Container[str]) -> Document | None:
    """Return the pod as a kubelet starts it once its Secret is there; None where that lacks what the container needs."""
    if asked.token not in keys or (asked.needs_git_token and asked.git_token not in keys):
        return None
    if not asked.git_token or asked.git_token in keys:
        return pod
    spec = pod["spec"]
    first = [
        {**each, "env": [one for one in each.get("env") or () if one["name"] != "GIT_TOKEN"]}
        for each in spec["initContainers"]
    ]
    return {**pod, "spec": {**spec, "initContainers": first}}


async def tell(asked: CloneRequest, token: str, sleep: Callable[[float], Awaitable[None]]) -> str | None:
    """Tell the bot what was cloned, and return the script of the container that builds; None where it takes it not."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
        for pause in _PAUSES:
            try:
                async with session.post(asked.address, data=asked.body, headers=headers) as answer:
                    if answer.status == 200:
                        return await answer.text()
            except (TimeoutError, aiohttp.ClientError):
                pass
            await sleep(pause)
    return None


def after_clone(pod: Document, asked: CloneRequest, script: str | None) -> Document:
    """Return the pod with what its second container runs, as its volume would hold it."""
    spec = pod["spec"]
    if script is None:
        untold = f"what was cloned could not be told to {asked.address}\n"
        first = [{**each, "untold": untold} for each in spec["initContainers"]]
        return {**pod, "spec": {**spec, "initContainers": first}}
    main, *others = spec["containers"]
    _, _, *words = main["command"]
    built = {**main, "command": ["/bin/sh", "-c", script, "build", *words]}
    return {**pod, "spec": {**spec, "containers": [built, *others]}}
