"""An account of one app at a host of git, with which its builds clone what is not everybody's."""

from dataclasses import dataclass

from core.errors import Invalid
from core.records.host_account import HostAccount
from core.records.registry_account import HOST

# Whom a token is of is said by the token: GitHub, GitLab and Forgejo take any name with it, Bitbucket this one only.
ANYBODY, _OF_HOST = "x-access-token", {"bitbucket.org": "x-token-auth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GitAccount(HostAccount):
    """Whom a clone says it is at a host of git: the host as it stands in an address, with its port where that is not the usual one."""


def usual_user(host: str) -> str:
    """Return the user that a host takes with any token of its own."""
    return _OF_HOST.get(host, ANYBODY)


def check_git_host(host: str) -> str:
    """Return the host as it stands in the address of a repository.

    Raises:
        Invalid: it is none.
    """
    found = host.strip().lower().removeprefix("https://").rstrip("/").removesuffix(":443")
    if not HOST.fullmatch(found):
        raise Invalid(f"not the host of git repositories: {host[:80]}", hint="as in: git add github.com")
    return found
