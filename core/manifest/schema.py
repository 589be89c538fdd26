"""convox.yml as a JSON Schema, for editors: its keys are those of the readers, from the same tables, each with the forms it has."""

from collections.abc import Mapping

from core.manifest import keys
from core.manifest.parts_schema import ANNOTATIONS, CONFIG, LOAD, PARTS, RESOURCE, TIMER, WORDS
from core.manifest.pods import MOST_DOTS, MOST_WEIGHT
from core.manifest.ports import LARGEST_PORT, PROTOCOLS, SCHEMES
from core.manifest.probes import MAX_PROBE_SECONDS, PROBE_KEYS
from core.manifest.routing import BALANCER_PROTOCOLS, LONGEST_TIMEOUT
from core.yaml.json_schema import (
    DIALECT,
    Schema,
    boolean,
    either,
    ignored,
    integer,
    listed,
    mapping,
    pairs,
    refused,
    text,
)

_SECONDS = integer(0, MAX_PROBE_SECONDS)
_PORT = either(
    integer(1, LARGEST_PORT),
    {"type": "string", "pattern": f"^({'|'.join(SCHEMES)}):[0-9]+$"},
    mapping({"port": text(), "scheme": {"enum": [*SCHEMES, *(word.upper() for word in SCHEMES)]}}),
)
_EXTRA_PORT = either(
    integer(1, LARGEST_PORT),
    {"type": "string", "pattern": f"^[0-9]+/({'|'.join(PROTOCOLS)})$"},
    mapping({"port": text(), "protocol": text()}),
)
_PROBE: Mapping[str, Schema] = {
    **dict.fromkeys(PROBE_KEYS, _SECONDS),
    "failureThreshold": integer(0, 1000),
    "path": text(),
    "successThreshold": integer(0, 1),
}
_LABELS = either(pairs(), listed(text()))
_ENVIRONMENT = listed(either(text(), listed(text())))

# The forms of what is run; a test holds that none is left out.
TOP: Mapping[str, Schema] = {
    "balancers": pairs(
        mapping(
            {
                "annotations": ANNOTATIONS,
                "ports": pairs(
                    either(
                        integer(1, LARGEST_PORT),
                        mapping(
                            {
                                "port": integer(1, LARGEST_PORT),
                                "protocol": {
                                    "enum": [
                                        *BALANCER_PROTOCOLS,
                                        *(word.lower() for word in BALANCER_PROTOCOLS),
                                    ]
                                },
                            }
                        ),
                    )
                ),
                "service": text(),
                "whitelist": WORDS,
            }
        )
    ),
    "configs": listed(CONFIG),
    "environment": _ENVIRONMENT,
    "labels": _LABELS,
    "resources": pairs(RESOURCE),
    "timers": pairs(TIMER),
}
SERVICE: Mapping[str, Schema] = {
    **PARTS,
    "annotations": ANNOTATIONS,
    "build": either(
        text(),
        mapping(
            {
                "args": {},
                "manifest": {},
                "path": text(),
                **{key: ignored(why) for key, why in keys.BUILD_IGNORED.items()},
            }
        ),
    ),
    "certificate": either(text(), mapping({"duration": text(), "id": text()})),
    "command": text(),
    "deployment": mapping({"maximum": integer(100, 200), "minimum": integer(0, 100)}),
    "dnsConfig": mapping({"ndots": integer(0, MOST_DOTS)}),
    "domain": WORDS,
    "environment": _ENVIRONMENT,
    "grpcHealthEnabled": boolean(),
    "health": either(
        {"type": ["string", "null"]},
        mapping(
            {
                "disable": boolean(),
                "grace": _SECONDS,
                "interval": _SECONDS,
                "path": text(),
                "port": _PORT,
                "timeout": _SECONDS,
            }
        ),
    ),
    "image": text(),
    "ingressAnnotations": ANNOTATIONS,
    "init": boolean(),
    "internal": boolean(),
    "internalRouter": boolean(),
    "labels": _LABELS,
    "lifecycle": mapping({"postStart": text(), "preStop": text()}),
    "liveness": mapping({**_PROBE, "port": _PORT}),
    "nodeAffinityLabels": either(
        listed(mapping({"label": text(), "value": text(), "weight": integer(1, MOST_WEIGHT)})), pairs()
    ),
    "nodeSelectorLabels": pairs(),
    "port": _PORT,
    "ports": listed(_EXTRA_PORT),
    "startupProbe": mapping({**_PROBE, "tcpSocketPort": integer(1, LARGEST_PORT)}),
    "sticky": boolean(),
    "termination": mapping({"grace": _SECONDS}),
    "timeout": integer(1, LONGEST_TIMEOUT),
    "tls": mapping({"redirect": boolean()}),
    "whitelist": WORDS,
}
_COUNT = either(text(), mapping({"max": text(), "min": text()}))
SCALE: Mapping[str, Schema] = {
    **LOAD,
    "count": _COUNT,
    "cpu": integer(0, 1_000_000),
    "limit": mapping({"cpu": integer(0, 1_000_000), "memory": integer(0, 16_777_216)}),
    "max": text(),
    "memory": integer(0, 16_777_216),
    "min": text(),
}


def manifest_schema() -> Schema:
    """Return the schema of a whole convox.yml."""
    scale = either(text(), _of(keys.SCALE_SUPPORTED, SCALE, {}, keys.SCALE_UNSUPPORTED))
    service = _of(
        keys.SERVICE_SUPPORTED, {**SERVICE, "scale": scale}, keys.SERVICE_IGNORED, keys.SERVICE_UNSUPPORTED
    )
    top = _of(keys.TOP_SUPPORTED, {**TOP, "services": pairs(service)}, keys.TOP_IGNORED, keys.TOP_UNSUPPORTED)
    return {
        "$schema": DIALECT,
        "title": "convox.yml, as convox-bot reads it",
        **top,
        "type": "object",
        "patternProperties": {"^x-": {"description": "left alone: a place for anchors"}},
        "required": ["services"],
    }


def _of(
    run: tuple[str, ...], forms: Mapping[str, Schema], without: Mapping[str, str], not_run: Mapping[str, str]
) -> Schema:
    """Return a mapping with what is run, what has no effect and what is refused."""
    return mapping(
        {key: forms.get(key, {}) for key in run}
        | {key: ignored(why) for key, why in without.items()}
        | {key: refused(what) for key, what in not_run.items()}
    )
