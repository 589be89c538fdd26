"""Logins of registries, as the kubelet reads them."""

import base64
import json

from core.errors import Invalid
from core.manifest.service import Service
from core.records.environment import Environment

KEY = ".dockerconfigjson"


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
        both = base64.b64encode(f"{login.username}:{password}".encode()).decode()
        auths[login.registry] = {"username": login.username, "password": password, "auth": both}
    return {KEY: base64.b64encode(json.dumps({"auths": auths}, sort_keys=True).encode()).decode()}
