"""The forms of what a service may have beside its process, and an app beside its services, for the schema of convox.yml."""

from collections.abc import Mapping

from core.manifest import keys
from core.manifest.configs import MOUNT_KEYS
from core.manifest.registries import KEYS as LOGIN_KEYS
from core.manifest.resources import OPTIONS, RESOURCE_IGNORED
from core.manifest.security import LARGEST_ID, SECCOMP
from core.manifest.timers import MOST_PARALLEL
from core.manifest.volumes import ACCESS_MODES
from core.yaml.json_schema import (
    FILLED_IN,
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

WORDS = either(text(), listed(text()))
ANNOTATIONS = either(listed(either(text(), pairs())), pairs())


def _word(*words: str) -> Schema:
    return either({"enum": list(words)}, FILLED_IN)


# Which options there are is a matter of the type, and of one whose variable is set anything goes: these are completed.
_OPTIONS: Schema = {"type": ["object", "null"], "properties": dict.fromkeys(OPTIONS, text())}
RESOURCE = mapping(
    {
        "image": text(),
        "options": _OPTIONS,
        "type": text(),
        **{key: ignored(why) for key, why in RESOURCE_IGNORED.items()},
    }
)
TIMER = mapping(
    {
        "annotations": ANNOTATIONS,
        "command": text(),
        "concurrency": text(),
        "parallelCount": integer(0, MOST_PARALLEL),
        "schedule": text(),
        "service": text(),
    }
)
CONFIG = mapping(dict.fromkeys(("id", "name", "value"), text()))
_MOUNTS = listed(mapping(dict.fromkeys(MOUNT_KEYS, text())))
_SHARE = mapping(
    {
        **dict.fromkeys(("id", "mountPath", "shareName", "storageClass", "volumeHandle"), text()),
        "accessMode": _word(*ACCESS_MODES),
    }
)
_VOLUME_OPTIONS = listed(
    mapping(
        {
            "awsEfs": _SHARE,
            "azureFiles": _SHARE,
            "emptyDir": mapping({"id": text(), "medium": _word("Memory", ""), "mountPath": text()}),
        }
    )
)
_ID = integer(0, LARGEST_ID)
_THRESHOLD = mapping({"threshold": text()})

# Of a service.
PARTS: Mapping[str, Schema] = {
    "agent": either(boolean(), mapping({"enabled": boolean()})),
    "configMounts": _MOUNTS,
    "imagePullSecrets": listed(either(text(), mapping(dict.fromkeys(LOGIN_KEYS, text())))),
    "initContainer": mapping(
        {"command": text(), "configMounts": _MOUNTS, "image": text(), "volumeOptions": _VOLUME_OPTIONS}
    ),
    "privileged": boolean(),
    "resources": listed(text()),
    "securityContext": mapping(
        {
            "allowPrivilegeEscalation": boolean(),
            "capabilities": mapping({"add": listed(text()), "drop": listed(text())}),
            "fsGroup": _ID,
            "readOnlyRootFilesystem": boolean(),
            "runAsGroup": _ID,
            "runAsNonRoot": boolean(),
            "runAsUser": _ID,
            "seccompProfile": _word(*SECCOMP),
        }
    ),
    "singleton": boolean(),
    "volumeOptions": _VOLUME_OPTIONS,
    "volumes": listed(text()),
}
# Of its scale.
LOAD: Mapping[str, Schema] = {
    "autoscale": mapping(
        {
            "cpu": _THRESHOLD,
            "memory": _THRESHOLD,
            **{key: ignored(why) for key, why in keys.AUTOSCALE_IGNORED.items()},
            **{key: refused(what) for key, what in keys.AUTOSCALE_UNSUPPORTED.items()},
        }
    ),
    "gpu": either(text(), mapping({"count": text(), "vendor": text()})),
    "targets": mapping(
        {
            "cpu": text(),
            "memory": text(),
            **{key: ignored(why) for key, why in keys.TARGETS_IGNORED.items()},
            **{key: refused(what) for key, what in keys.TARGETS_UNSUPPORTED.items()},
        }
    ),
}
