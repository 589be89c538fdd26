"""Every error that a person can meet, and the two that a cluster can give.

UserError            somebody asked for something that cannot be; the sentence goes to them
├─ Invalid      422  what was given cannot be used
├─ Unreadable   400  the request itself cannot be read
├─ Unauthorized 401  no valid token
├─ Forbidden    403  the policy, or Slack membership, says no
├─ NotFound     404  no such app, release, build, promotion
├─ Conflict     409  somebody or something was first
│  ├─ Busy      409  something of the app is rolling out
│  └─ Taken     409  a new id exists already: whoever made it up takes another, so nobody meets this one
├─ Unexpected   500  something broke here; the log has more under the same reference
└─ Unavailable   503  the database cannot be written, or nothing new may start
Rejected             the cluster said no for good: asking again changes nothing
├─ Foreign             an object of that name is not ours, so we have not made it
├─ FieldConflict       a field that another tool has set is in the way
└─ Denied            it does not let us, or does not know what was asked for; one that has just started says so to anybody
Unreachable          the cluster did not answer, or said "not now": asking again may help
├─ NotYet            it answers, and what is asked for has to wait for something that is under way
└─ Unauthenticated      it does not take us for who we are; other credentials may help
"""

import secrets

from core.sentence import Sentence

# What people are told of an error that nobody foresaw; the rest is in the log.
BROKEN = "something went wrong here"


class UserError(Exception):
    """A sentence for the person who asked: what happened and why, with a next step in `hint`."""

    status = 400

    def __init__(self, sentence: str | Sentence, *, hint: str | Sentence = "") -> None:
        super().__init__(str(sentence))
        self.sentence = Sentence.of(sentence)
        self.hint = hint


class Unreadable(UserError):
    status = 400


class Unauthorized(UserError):
    status = 401


class Forbidden(UserError):
    status = 403


class NotFound(UserError):
    status = 404


class Conflict(UserError):
    status = 409


class Busy(Conflict):
    """Something of the app is rolling out, and was not to be taken over."""


class Taken(Conflict):
    pass


class Unavailable(UserError):
    status = 503


class Invalid(UserError):
    status = 422


class Unexpected(UserError):
    """Something broke here, and whoever met it logs the rest.

    Attributes:
        reference: what the person and the log call it.
    """

    status = 500

    def __init__(self) -> None:
        self.reference = f"E-{secrets.token_hex(3).upper()}"
        super().__init__(
            f"{BROKEN}, and nothing more was done",
            hint=f"ask whoever runs this bot for the log of {self.reference}",
        )


class Rejected(Exception):
    """The cluster refused for good (403, 404 of the namespace, field conflict, 422); `str()` is the reason."""


class Denied(Rejected):
    """403 and 404: an API server knows neither rights nor objects until it has read them, about 0.1 s after its start."""


class Foreign(Rejected):
    """An object of that name is there which the bot has not made: nothing of it is the bot's to change or to undo."""


class FieldConflict(Rejected):
    """A field that another tool has set is in the way; nothing of the release is wrong."""


class Unreachable(Exception):
    """The cluster could not be asked or was busy (5xx, 429, time-out, 409 on resourceVersion)."""


class Unauthenticated(Unreachable):
    """401, also with credentials that were read anew: those of a service account are exchanged while they are in use."""


class NotYet(Unreachable):
    """What was asked for has to wait for something that is under way; `str()` is the whole sentence."""
