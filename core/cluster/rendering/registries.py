"""Logins of registries, as the kubelet reads them: of the manifest, a Secret a release, and of the app, one for all of them."""

import base64
import json
from collections.abc import Collection, Iterable, Mapping

from core.errors import Invalid
from core.manifest.service import Service
from core.records.environment import Environment
from core.records.registry_account import DOCKER, RegistryAccount, host_of

KEY = ".dockerconfigjson"
TYPE = "kubernetes.io/dockerconfigjson"
# Under this name the kubelet looks for the login of images without a host.
DOCKER_HUB = "https://index.docker.io/v1/"


def registry_data(service: Service, environment: Environment) -> dict[str, str]:
    """Return the data of the Secret with which the images of a service are pulled.

    Raises:
        Invalid: a password is not set.
    """
    values = dict(environment.pairs)
    auths = {}
    for number, login in enumerate(service.registries):
        password = values.get(login.password_variable, "")
        if not password:
            raise Invalid(
                f"service {service.name} imagePullSecrets[{number}]: env var {login.password_variable} is not set",
                hint=f"run `env set {login.password_variable}=…` and promote the release that it makes",
            )
        auths[login.registry] = _auth(login.username, password)
    return _data(auths)


def logins_data(logins: Iterable[RegistryAccount]) -> dict[str, str]:
    """Return the data of the Secret of the app's own logins."""
    return _data(
        {DOCKER_HUB if each.host == DOCKER else each.host: _auth(each.user, each.secret) for each in logins}
    )


def needs_login(image: str, hosts: Collection[str]) -> bool:
    """Tell whether an image is at a registry at which the app has a login."""
    return host_of(image) in hosts


def _auth(user: str, password: str) -> dict[str, str]:
    both = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"username": user, "password": password, "auth": both}


def _data(auths: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {KEY: base64.b64encode(json.dumps({"auths": auths}, sort_keys=True).encode()).decode()}
