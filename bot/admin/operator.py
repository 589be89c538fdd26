"""Who types a command on the database file: their account on this machine, for the audit."""

import os
import pwd
import re
import socket

from core.actor import Actor

_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def operator() -> Actor:
    """Return whoever has started this program, as the machine knows them: `alice@bastion`.

    Of `sudo` the one who called it (sudo(8), SUDO_USER). It is no proof: whoever has the file may call themselves anything. An account
    without a name, as in a container, is its number.
    """
    host = socket.gethostname()[:64]
    return Actor("operator", f"{_account(os.getuid(), os.environ.get('SUDO_USER', ''))}@{host}")


def _account(uid: int, sudo_user: str) -> str:
    if uid == 0 and _ACCOUNT.fullmatch(sudo_user):
        return sudo_user
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
