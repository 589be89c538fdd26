"""What an operator says of builds: where images are pushed, what builds them, how much that may take."""

from dataclasses import dataclass

from core.records.git_address import SECURE
from core.records.registry_account import RegistryAccount

# Rootless: the daemon and whatever a Dockerfile runs are an ordinary user of the node. Of the version that `tests/builders`
# build with: what a build says and does changes with it, and a tag without one is another image whenever a node pulls it.
BUILD_IMAGE = "moby/buildkit:v0.34.2-rootless"
# The same version for pods with user namespaces: its user is root, and it needs none of RootlessKit.
NAMESPACED_IMAGE = "moby/buildkit:v0.34.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """See docs/settings.md.

    Attributes:
        registry: host and path before the app's name, "" where nothing is built.
        account: with which it is pushed, if that takes one.
        address: URL under which pods reach the bot's API.
        image: with BuildKit, `wget` and `tar` in it.
        cpu, memory, disk: limits of one build, as Kubernetes writes quantities.
        seconds: how long a build may take.
        user_namespaces: its pod has users of its own, in place of a user that makes namespaces.
        git_schemes: of the addresses that are cloned.
    """

    registry: str = ""
    account: RegistryAccount | None = None
    address: str = ""
    image: str = BUILD_IMAGE
    cpu: str = "2"
    memory: str = "4Gi"
    disk: str = "20Gi"
    seconds: int = 3600
    user_namespaces: bool = False
    git_schemes: frozenset[str] = SECURE

    def repository(self, app: str) -> str:
        """Return where the images of an app are pushed."""
        return f"{self.registry.rstrip('/')}/{app}"
