"""The environment of a service's containers, in Convox's order of precedence, as the data of one Secret."""

import base64

from core.errors import Invalid
from core.manifest.service import Service
from core.records.app import App
from core.records.build import Build
from core.records.environment import KEY
from core.records.release import Release

# Kubernetes' MaxSecretSize, over all values of one Secret.
SECRET_LIMIT = 1024 * 1024
# Linux' MAX_ARG_STRLEN: one `KEY=VALUE` with its end; beyond it no process starts ("argument list too long").
VARIABLE_LIMIT = 128 * 1024


def variables(release: Release, build: Build, service: Service, app: App, *, rack: str) -> dict[str, str]:
    """Return what the container sees; later wins, as in Convox, so the release can override everything.

    Convox also sets RACK_URL, which holds the rack's password; that one is left out on purpose.
    """
    own = {
        "RACK": rack,
        "APP": app.name,
        "RELEASE": release.id,
        "BUILD": build.id,
        "BUILD_DESCRIPTION": build.description,
        "BUILD_GIT_SHA": build.git_sha,
        "SERVICE": service.name,
    }
    if service.port is not None:
        own["PORT"] = str(service.port.number)
    defaults = {d.key: d.default for d in service.environment if d.default is not None}
    return own | defaults | dict(release.environment.pairs)


def secret_data(values: dict[str, str], service: str) -> dict[str, str]:
    """Return the values in base64, by key.

    Raises:
        Invalid: no process could be started with them; names keys, never values.
    """
    encoded = {key: _encoded(key, values[key]) for key in sorted(values)}
    if (size := sum(map(len, encoded.values()))) > SECRET_LIMIT:
        raise Invalid(
            f"the environment of service {service} has {size:,} bytes; Kubernetes takes {SECRET_LIMIT:,} in one Secret",
            hint="keep large values in files or in a store of their own",
        )
    return {key: base64.b64encode(value).decode() for key, value in encoded.items()}


def _encoded(key: str, value: str) -> bytes:
    if not KEY.fullmatch(key):
        raise Invalid(f"{key[:40]!r} is no name of a variable", hint="unset it")
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise Invalid(f"the value of {key} is not valid Unicode", hint=f"set {key} anew") from None
    if b"\0" in encoded:
        raise Invalid(
            f"the value of {key} has a NUL byte, and no variable can hold one", hint=f"set {key} anew"
        )
    if (size := len(key) + len(encoded) + 2) > VARIABLE_LIMIT:
        raise Invalid(
            f"{key} has {size:,} bytes; Linux takes {VARIABLE_LIMIT:,} in one variable",
            hint="keep large values in files or in a store of their own",
        )
    return encoded
