"""What a network says when it does not do what was wanted, as a sentence with what to do now; none of them shows a token."""

import socket
import ssl
from dataclasses import dataclass
from datetime import datetime

# OpenSSL's X509_V_ERR_*: not valid yet, expired; for another host, for another address.
_TIMES, _OTHERS = frozenset({9, 10}), frozenset({62, 64})
UNKNOWN_VERSION = "unknown"
# What a handshake comes to that was cut, as by a proxy that starts anew.
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
# Who stands between here and the bot answers so while there is no bot behind it, or none that answers in time.
_OF_PROXIES = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkProblem:
    """What is wrong.

    Attributes:
        hint: what to do now.
        lasting: another try meets the same.
    """

    sentence: str
    hint: str
    lasting: bool = False


def unreachable(name: str, error: OSError) -> NetworkProblem:
    """Say why no connection could be had; `name`: host and port."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(name, error)
    if isinstance(error, ssl.SSLError):
        why = (getattr(error, "reason", None) or "it broke off").replace("_", " ").lower()
        hint = "is that the port for https? A bot without a certificate of its own needs a proxy or `kubectl port-forward`"
        return NetworkProblem(
            sentence=f"{name} speaks no TLS that works: {why}", hint=hint, lasting=not isinstance(error, _CUT)
        )
    why = error.strerror or str(error) or type(error).__name__
    sentence = f"{name} cannot be reached: {why}"
    if isinstance(error, socket.gaierror):
        return NetworkProblem(
            sentence=sentence, hint="is the host of RACK_URL right, and does this network know it?"
        )
    hint = "is `convox-bot serve` running, and does RACK_URL name its API_PORT?"
    return NetworkProblem(sentence=sentence, hint=hint)


def _certificate(name: str, error: ssl.SSLCertVerificationError) -> NetworkProblem:
    sentence = f"the certificate of {name} is not taken: {error.verify_message}"
    hint = "SSL_CERT_FILE names a file with the authority that signed it, where that is one of your own"
    if error.verify_code in _TIMES:
        hint = f"is the clock of this machine right? It says {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
    elif error.verify_code in _OTHERS:
        hint = "RACK_URL has to name the host as the certificate does"
    return NetworkProblem(sentence=sentence, hint=hint, lasting=True)


def stranger(name: str, status: int) -> NetworkProblem:
    """Say what an answer means that is none of a convox-bot."""
    sentence = f"{name} answers HTTP {status}, but not as a convox-bot"
    if status in _OF_PROXIES:
        return NetworkProblem(
            sentence=f"{sentence}: what stands between has no bot behind it just now",
            hint="it may have been carried out: look before you repeat it; if this stays so, is `convox-bot serve` running?",
        )
    return NetworkProblem(sentence=sentence, hint="does RACK_URL name the API_PORT of a convox-bot?")


def version_hint(theirs: str | None, ours: str) -> str:
    """Say what to do where a rack does not know what was asked for and has another version; "" where that says nothing."""
    if not theirs or UNKNOWN_VERSION in {theirs, ours} or theirs == ours:
        return ""
    return f"the rack runs convox-bot {theirs} and this is {ours}: `uvx convox-bot@{theirs} …` is one like it"
