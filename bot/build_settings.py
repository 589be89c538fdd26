"""What builds the rack's images and where they are pushed, out of nine settings."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from core.manifest.images import image_problem, registry_path

ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|[kMGT]i?)?")
# What pydantic takes for yes, in small letters.
TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
SHORTEST, LONGEST = 60, 6 * 3600  # seconds


class ClusterBuildSettings(BaseModel):
    """Builds in the cluster; by default there are none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_registry: str | None = None
    """Host, and a path where needed, before the name of the app."""
    convox_registry_user: str | None = None
    convox_registry_password: SecretStr | None = None
    convox_build_address: str | None = None
    """URL under which pods of the cluster reach the API of this bot."""
    convox_build_image: str = "moby/buildkit:v0.34.2-rootless"
    convox_build_cpu: str = "2"
    convox_build_memory: str = "4Gi"
    convox_build_disk: str = "20Gi"
    convox_build_timeout: int = Field(default=3600, ge=SHORTEST, le=LONGEST)
    """Seconds from the start of a build to its end."""
    convox_build_user_namespaces: bool = False
    """Pods of builds have users of their own, where the nodes have that."""
    convox_build_copies: bool = True
    """What `image:` of a convox.yml names is copied into the registry by each build."""
    convox_git_insecure: bool = False
    """Addresses of http:// and git:// are cloned too, which hide nothing: for tests on loopback."""

    @field_validator("convox_registry")
    @classmethod
    def _registry(cls, value: str) -> str:
        if registry := registry_path(value):
            return registry
        raise ValueError(
            "is no registry: write its host, and a path where needed, such as registry.example:5000/apps"
        )

    @field_validator("convox_build_address")
    @classmethod
    def _address(cls, value: str) -> str:
        if not ADDRESS.fullmatch(value):
            raise ValueError("is no address such as http://convox-bot.convox-system:3001")
        return value.rstrip("/")

    @field_validator("convox_build_image")
    @classmethod
    def _image(cls, value: str) -> str:
        if why := image_problem(value):
            raise ValueError(f"is no image: {why}")
        return value

    @field_validator("convox_build_cpu", "convox_build_memory", "convox_build_disk")
    @classmethod
    def _quantity(cls, value: str) -> str:
        if not QUANTITY.fullmatch(value):
            raise ValueError("is no quantity of Kubernetes such as 500m or 4Gi")
        return value


def build_contradictions(given: Mapping[str, str]) -> list[str]:
    """Return what is wrong between the settings of builds.

    Args:
        given: field → text, as it was found.
    """
    problems = []
    registry, address = given.get("convox_registry"), given.get("convox_build_address")
    if registry and not address:
        why = "name the URL under which pods reach the API of this bot, to fetch what they build"
        problems.append(f"CONVOX_REGISTRY is set and CONVOX_BUILD_ADDRESS is not: {why}")
    image = given.get("convox_build_image", "")
    if "-rootless" in image and given.get("convox_build_user_namespaces", "").lower() in TRUE:
        why = "RootlessKit needs users that a pod with its own does not have: name the image without -rootless, or none"
        problems.append(f"CONVOX_BUILD_USER_NAMESPACES is set and CONVOX_BUILD_IMAGE is rootless: {why}")
    user, password = given.get("convox_registry_user"), given.get("convox_registry_password")
    if bool(user) != bool(password):
        problems.append("CONVOX_REGISTRY_USER and CONVOX_REGISTRY_PASSWORD are set together, or neither")
    return problems
