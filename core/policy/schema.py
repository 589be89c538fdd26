"""The policy file as a JSON Schema, for editors: its keys are those of the reader."""

from collections.abc import Mapping

from core.policy.build_rules import BUILD_KEYS, REPOSITORY
from core.policy.names import GROUP_ID
from core.policy.oidc_rules import AUDIENCE, ISSUER, KEY_SOURCES, OIDC_KEYS, RULE_NAME
from core.policy.reader import CHANNEL, CHANNEL_KEYS, MOST_APPROVALS, RULE_KEYS
from core.policy.retention import FOREVER, RETENTION_KEYS, AgingRecords
from core.policy.rules import VERBOSITIES, VERBS
from core.records.push import PROMOTE_AFTER
from core.yaml.json_schema import (
    DIALECT,
    DURATION,
    Schema,
    boolean,
    either,
    integer,
    listed,
    mapping,
    pairs,
    text,
)

_AUTO = either({"const": "auto"}, DURATION)
_APPROVAL = mapping(
    {
        "count": integer(0, MOST_APPROVALS),
        "expires": DURATION,
        "from": listed(text()),
        "requester": boolean(),
        "seats": listed(mapping({"count": integer(1, 10), "from": listed(text())}, required=("from",))),
    }
)
_WINDOW = mapping(
    {"apps": listed(text()), "from": text(), "reason": text(), "to": text(), "zone": text()},
    required=("from", "to"),
)
# The forms of the rules; one without an entry takes whatever the reader takes.
RULES: Mapping[str, Schema] = {
    "approvals": mapping({"promote": _APPROVAL, "rollback": _APPROVAL}),
    "announce_builds": boolean(),
    "ask": {"type": "string", "pattern": f"^({CHANNEL.pattern}|{GROUP_ID.pattern})$"},
    "channel": {"type": "string", "pattern": f"^{CHANNEL.pattern}$"},
    "crashes": integer(1, 1000),
    "deadline": DURATION,
    "longest": DURATION,
    "match": listed(text()),
    "min_ready": _AUTO,
    "remind_after": either({"const": "never"}, DURATION),
    "restarts": integer(0, 1000),
    "rollback_after": DURATION,
    "routes": boolean(),
    "settle": _AUTO,
    "unpinned": boolean(),
    "verbosity": {"enum": list(VERBOSITIES)},
}
# Likewise of the rules of pushes.
BUILDS: Mapping[str, Schema] = {
    "app": text(),
    "branch": text(),
    "promote": {"enum": list(PROMOTE_AFTER)},
    "repository": {"type": "string", "pattern": f"^{REPOSITORY.pattern}$"},
    "tag": text(),
}
_WORDS = either(text(), listed(text()))
# Likewise of the tokens of jobs.
OIDC: Mapping[str, Schema] = {
    "audience": {"type": "string", "pattern": f"^{AUDIENCE.pattern}$"},
    "claims": pairs(_WORDS),
    "issuer": {"type": "string", "pattern": f"^{ISSUER.pattern}$"},
    "keys": {"enum": list(KEY_SOURCES)},
    "max_age": DURATION,
    "name": {"type": "string", "pattern": f"^{RULE_NAME.pattern}$"},
    "subject": _WORDS,
}
# Likewise of how long things are kept.
_AGE = either({"const": FOREVER}, DURATION)
RETENTION: Mapping[AgingRecords, Schema] = {
    "build_logs": _AGE,
    "evidence": _AGE,
    "inbox": DURATION,
    "lines": _AGE,
}


def policy_schema() -> Schema:
    """Return the schema of a whole policy file."""
    member = mapping(
        {"apps": listed(text()), "roles": listed(text()), "who": listed(text())}, required=("roles", "who")
    )
    rules = mapping({key: RULES.get(key, {}) for key in RULE_KEYS}, required=("match",))
    top = mapping(
        {
            "apps": listed(rules),
            "builds": listed(
                mapping({key: BUILDS[key] for key in BUILD_KEYS}, required=("app", "repository"))
            ),
            "channels": pairs(mapping({"verbosity": RULES["verbosity"]}, required=CHANNEL_KEYS)),
            "freezes": mapping({"override": listed(text()), "windows": listed(_WINDOW)}),
            "members": listed(member),
            "oidc": listed(
                mapping(
                    {key: OIDC[key] for key in OIDC_KEYS}, required=("audience", "issuer", "name", "subject")
                )
            ),
            "retention": mapping({key: RETENTION[key] for key in RETENTION_KEYS}),
            "roles": pairs(listed({"enum": list(VERBS)})),
        }
    )
    return {"$schema": DIALECT, "title": "The policy file of convox-bot", **top, "type": "object"}
