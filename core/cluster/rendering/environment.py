"""The environment of a service's containers, in Convox's order of precedence, as the data of one Secret."""

import base64

from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.resources import resource_variables
from core.errors import Invalid
from core.manifest.service import Service
from core.records.environment import ELSEWHERE, SECRET_LIMIT, encoded_values


def variables(service: Service, given: RenderInput) -> dict[str, str]:
    """Return what the container sees; later wins, so the release can override everything, a resource's variables too.

    Convox also sets RACK_URL, which holds the rack's password; that one is left out on purpose.
    """
    release, build = given.release, given.build
    own = {
        "RACK": given.rack,
        "APP": given.app.name,
        "RELEASE": release.id,
        "BUILD": build.id,
        "BUILD_DESCRIPTION": build.description,
        "BUILD_GIT_SHA": build.git_sha,
        "SERVICE": service.name,
    }
    if service.port is not None:
        own["PORT"] = str(service.port.number)
    defaults = {d.key: d.default for d in service.environment if d.default is not None}
    return own | defaults | resource_variables(service, given) | dict(release.environment.pairs)


def secret_data(values: dict[str, str], service: str) -> dict[str, str]:
    """Return the values in base64, by key.

    Raises:
        Invalid: no process could be started with them; names keys, never values.
    """
    encoded = encoded_values(values)
    if (size := sum(map(len, encoded.values()))) > SECRET_LIMIT:
        raise Invalid(
            f"the environment of service {service} has {size:,} bytes; Kubernetes takes {SECRET_LIMIT:,} in one Secret",
            hint=ELSEWHERE,
        )
    return {key: base64.b64encode(value).decode() for key, value in encoded.items()}
