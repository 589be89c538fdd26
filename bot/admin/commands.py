"""What an operator does beside a running bot, with its database and its keys: the second place where parts meet."""

import errno
import re
import socket

from core.cluster.namespace_objects import namespace_objects
from core.errors import Invalid, Unavailable
from core.records.app import check_name
from storage.errors import StorageError
from storage.keys import Keyring

# What the kernel says of an address that another process has, that is not this machine's, or that needs root.
LISTEN_ERRORS = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES})
# RFC 1123: namespaces are labels; ServiceAccounts are subdomains, of which labels are the usual case.
DNS_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
DNS_SUBDOMAIN = re.compile(r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")


def new_key() -> str:
    """Return one key for `CONVOX_KEYS`."""
    return Keyring.generate()


def namespace_objects_text(rack: str, app: str, *, service_account: str, bot_namespace: str) -> str:
    """Return the Namespace and RoleBinding of an app, as YAML for an administrator.

    Raises:
        Invalid: one of the names is none.
    """
    if not DNS_SUBDOMAIN.fullmatch(service_account):
        raise Invalid(f"{service_account!r} is not the name of a ServiceAccount")
    if not DNS_LABEL.fullmatch(bot_namespace):
        raise Invalid(f"{bot_namespace!r} is not the name of a namespace")
    return namespace_objects(
        rack, check_name(app), service_account=service_account, bot_namespace=bot_namespace
    ).rstrip("\n")


def start_problems(error: Exception) -> list[str]:
    """Return one sentence for each reason why the bot or its database cannot be used; none for an error of ours."""
    match error:
        case Invalid():
            return [*str(error).splitlines(), *([str(error.hint)] if error.hint else [])]
        case StorageError():
            return [str(error)]
        case Unavailable():
            return [f"{error}; {error.hint}" if error.hint else str(error)]
        case OSError() if error.errno in LISTEN_ERRORS or isinstance(error, socket.gaierror):
            return [f"an address of HOST, PORT, API_HOST, API_PORT cannot be listened on: {error}"]
        case _:
            return []
