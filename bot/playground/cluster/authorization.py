"""Who may do what: tokens, their users, their allow lists, and a hook that takes rights away."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.playground.cluster.errors import ApiError, forbidden, unauthorized
from bot.playground.cluster.resources import RequestTarget

AccessRule = Callable[[str, str, str], bool]
"""Verb, resource (`deployments`, `deployments/scale`) and namespace (empty for all) to a yes or no."""


def allow_all(_verb: str, _resource: str, _namespace: str) -> bool:
    """Allow whatever is asked."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a token belongs to.

    Attributes:
        user: the name in refusals.
        allow: what the user may do.
        bound: whether the `deny` hook applies; it does not for `admin`.
    """

    user: str
    allow: AccessRule = allow_all
    bound: bool = True


class Authorizer:
    """The tokens of a cluster.

    Attributes:
        tokens: identity by token. `admin` may do everything, `convox-bot` everything that `deny` leaves.
        deny: takes rights away from all but `admin`; tests set it.
    """

    def __init__(self) -> None:
        self.tokens: dict[str, Identity] = {
            "admin": Identity(user="kubernetes-admin", bound=False),
            "convox-bot": Identity(user="convox-bot"),
        }
        self.deny: AccessRule | None = None

    def authenticate(self, authorization: str | None) -> Identity:
        """Return whom an `Authorization` header belongs to.

        Raises:
            ApiError: 401, if nobody.
        """
        word, _, token = (authorization or "").partition(" ")
        identity = self.tokens.get(token.strip()) if word.lower() == "bearer" else None
        if identity is None:
            raise unauthorized()
        return identity

    def authorize(self, identity: Identity, verb: str, resource: str, namespace: str) -> bool:
        """Say whether somebody may do something."""
        if identity.bound and self.deny is not None and self.deny(verb, resource, namespace):
            return False
        return identity.allow(verb, resource, namespace)

    def refusal(
        self, identity: Identity, verb: str, target: RequestTarget, *, starting: bool = False
    ) -> ApiError | None:
        """Return the 403 for a request, `None` if it is allowed; a server that is starting knows administrators only."""
        resource = target.resource
        plural = f"{resource.plural}/{target.subresource}" if target.subresource else resource.plural
        if not (starting and identity.bound) and self.authorize(identity, verb, plural, target.namespace):
            return None
        scope = (
            f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
        )  # no namespace in the path
        why = (
            f'User "{identity.user}" cannot {verb} resource "{plural}" '
            f'in API group "{resource.group}" {scope}'
        )
        return forbidden(resource.group, resource.plural, target.name, why)
