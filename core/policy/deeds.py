"""What each verb of the policy lets people do, in the words of a sentence: one table for every refusal."""

from collections.abc import Mapping

from core.policy.rules import EVERYBODY, Verb

# After "you may not".
DEEDS: Mapping[Verb, str] = {
    "view": "view {app}",
    "build": "make builds of {app}",
    "env": "read or change the environment of {app}",
    "promote": "promote {app}",
    "rollback": "roll back {app}",
    "approve": "approve promotions of {app}",
    "cancel": "cancel rollouts of {app}",
    "scale": "scale or restart {app}",
    "logs": "read the logs of {app}",
    "freeze": "freeze {app}",
    "break-glass": "break the glass for {app}",
    "admin": "change settings of {app}",
}


def deed(verb: Verb, app: str) -> str:
    """Return what somebody with a right may do to an app; `*` is every app."""
    return DEEDS[verb].format(app="every app" if app == EVERYBODY else app)
