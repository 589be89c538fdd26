"""Why a clone was refused, in a sentence, out of what git wrote; a pure function of its words."""

import re

_ADDRESS = re.compile(r"'?https?://(?P<host>[^/'\s]+)[^'\s]*'?")
# What a server says to people, which often names a page of its help.
_REMOTE = re.compile(r"^remote:.*$", re.MULTILINE)
_REF = re.compile(r"(?:remote ref|not our ref|unadvertised object) (?P<ref>\S+)")
LONGEST = 300  # characters of what git wrote
# What git, libcurl and servers write, each with what is to be done; the first that is found says it. In git's own sources:
# remote-curl.c, http.c, transport.c, fetch-pack.c. Servers hide a private repository from whoever has no token for it.
_KINDS = (
    (
        ("could not read Username", "could not read Password"),
        "{host} asks who clones: there is no such repository, or it is private and the app has no token there (`git add {host}`)",
    ),
    (
        ("Authentication failed", "Invalid username or", "returned error: 401"),
        "{host} does not take the app's token: it is wrong, or has expired (`git add {host}` replaces it)",
    ),
    (
        ("returned error: 403", "Write access to repository not granted"),
        "the app's token at {host} may not read this repository (`git add {host}` replaces it)",
    ),
    (
        (
            "Repository not found",
            "' not found",
            "returned error: 404",
            "does not appear to be a git repository",
        ),
        "there is no such repository at {host}, or the app's token there may not see it",
    ),
    (
        ("remote ref", "not our ref", "unadvertised object"),
        "the repository has no branch, tag or commit {ref}",
    ),
    (("Could not resolve host",), "the cluster does not find {host}: is the address right, is there DNS?"),
    (
        ("certificate",),
        "the certificate of {host} is not one that the image of builds trusts (CONVOX_BUILD_IMAGE)",
    ),
    (
        (
            "onnection refused",
            "onnection timed out",
            "Failed to connect",
            "Couldn't connect",
            "timed out",
            "too slow",
            "reset by peer",
            "SSL_ERROR_SYSCALL",
        ),
        "{host} does not answer: does the NetworkPolicy of builds let git through?",
    ),
    (("No space left",), "the repository does not fit on the disk of a build (CONVOX_BUILD_DISK)"),
    (("not allowed",), "{host} sends the clone on to an address that is not https"),
)


def clone_problem(written: str) -> str:
    """Return why git cloned nothing; what is not known is said in git's own words."""
    address, ref = _ADDRESS.search(_REMOTE.sub("", written)), _REF.search(written)
    host = address["host"] if address else "the host"
    for words, sentence in _KINDS:
        if any(word in written for word in words):
            return f"the clone was refused: {sentence.format(host=host, ref=ref['ref'] if ref else '')}"
    said = " ".join(written.split())[-LONGEST:] or "git says nothing of it"
    return f"the clone was refused: {said}"
