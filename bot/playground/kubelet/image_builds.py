"""What a container with BuildKit does in the playground: the log of a build, and the digests of what it made.

No image is made and nothing is pushed. What becomes of it is said by words in the paths that are built: `broken` is a
Dockerfile with a step that fails, `oom` one that takes more memory than there is, `refused` a registry that takes nothing,
`unreachable` one that does not answer, `slow` steps that take two minutes; `refused` in the address of a source, that nobody is let in there.
"""

import hashlib
import re
import shlex
from collections.abc import Iterator
from typing import Any

from bot.playground.kubelet.behaviour import Behaviour, Pull, behaviour_of

BUILDERS = ("buildkit", "buildctl")
_IMAGE = re.compile(r"echo '?((?:Building|Copying) [^'\n]*)'?\nbuildctl-daemonless.sh ([^\n]*)")
_TITLE = re.compile(r"^echo '?Building ", re.MULTILINE)
_SAID = re.compile(r"^echo (.+)$", re.MULTILINE)
_NAMES = re.compile(r'(?<![a-z])name=([^",\'\s]+)')
_PLACES = re.compile(r"(?:context|filename)=(\S+)")
_DOCKERFILE = re.compile(r"filename=(\S+)")
_SECONDS = 6.0
_SLOW_SECONDS = 120.0
_FETCH_SECONDS = 1.0
_FAILED = """\
#7 [3/3] RUN make
#7 0.214 make: *** No rule to make target 'all'.  Stop.
#7 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
------
 > [3/3] RUN make:
0.214 make: *** No rule to make target 'all'.  Stop.
------
Dockerfile:3
--------------------
   1 |     FROM alpine:3.22
   2 |     COPY . .
   3 | >>> RUN make
--------------------
error: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2
"""
# In the words of a real one: what is asked first is whether the registry has a layer already.
_REFUSED = """\
#9 exporting to image
#9 pushing layers 0.1s done
#9 ERROR: failed to push {name}: unexpected status from HEAD request to {layer}: 401 Unauthorized
error: failed to solve: failed to push {name}: unexpected status from HEAD request to {layer}: 401 Unauthorized
"""
_UNREACHABLE = """\
#9 exporting to image
#9 pushing layers 30.1s done
#9 ERROR: failed to push {name}: failed to do request: Head "{layer}": dial tcp 192.0.2.1:443: connect: connection refused
error: failed to solve: failed to push {name}: failed to do request: Head "{layer}": dial tcp 192.0.2.1:443: connect: connection refused
"""


def fetch_behaviour(container: dict[str, Any]) -> Behaviour | None:
    """Return what a container does that fetches the source of a build, None for any other."""
    given = {each["name"]: each.get("value", "") for each in container.get("env") or ()}
    url = given.get("SOURCE_URL")
    if url is None or behaviour_of(container["image"]).pull is not Pull.OK:
        return None
    if "refused" not in url:
        return Behaviour(exits_after=_FETCH_SECONDS)
    said = f"the source could not be fetched from {url}\n"
    return Behaviour(exits_after=_FETCH_SECONDS, exit_code=1, reason="Error", last_words=said, message=said)


def build_behaviour(container: dict[str, Any]) -> Behaviour | None:
    """Return what a container does that builds images, None for any other."""
    script = " ".join(container.get("command") or ())
    if not any(word in container["image"] for word in BUILDERS) or "buildctl-daemonless.sh" not in script:
        return None
    before = _TITLE.split(script, maxsplit=1)[0]
    text = "".join(f"{shlex.split(each)[0]}\n" for each in _SAID.findall(before))
    code, reason, digests = 0, "Completed", []
    for said, words in _IMAGE.findall(script):
        written, code, reason = _copied(said, words) if said.startswith("Copying") else _image(words)
        text += f"{said}\n{written}"
        if code:
            break
        digests += [_digest(words)]
    message = "" if code else "".join(f"{each}\n" for each in digests)
    takes = _SLOW_SECONDS if "slow" in " ".join(_PLACES.findall(script)) else _SECONDS
    return Behaviour(exits_after=takes, exit_code=code, reason=reason, last_words=text, message=message)


def _copied(said: str, words: str) -> tuple[str, int, str]:
    """Return the log of an image that is copied, which always goes well."""
    named = _NAMES.search(words)
    name = named[1] if named else "image"
    written = (
        "#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s\n\n"
        f"#5 [1/1] FROM {said.split()[1]}\n#5 CACHED\n\n#9 exporting to image\n"
        f"#9 pushing manifest for {name} done\n#9 DONE 0.9s\n"
    )
    return written, 0, "Completed"


def _image(words: str) -> tuple[str, int, str]:
    """Return the log of one image, and how it ends."""
    named = _NAMES.search(words)
    name = named[1] if named else "image"
    begins = "".join(f"{line}\n" for line in _steps(words))
    places = " ".join(_PLACES.findall(words))
    if "broken" in places:
        return begins + _FAILED, 1, "Error"
    if "oom" in places:
        return begins, 137, "OOMKilled"
    for word, said in (("refused", _REFUSED), ("unreachable", _UNREACHABLE)):
        if word in places:
            return begins + said.format(name=name, layer=_layer(name, words)), 1, "Error"
    ending = f"#9 exporting to image\n#9 exporting manifest {_digest(words)} done\n#9 pushing manifest for {name} done\n#9 DONE 1.4s\n"
    return f"{begins}#7 [3/3] RUN make\n#7 0.311 built\n#7 DONE 0.4s\n\n{ending}", 0, "Completed"


def _layer(name: str, words: str) -> str:
    """Return where a registry has a layer of an image."""
    host, _, path = name.partition("/")
    return f"https://{host}/v2/{path.partition(':')[0]}/blobs/{_digest(words)}"


def _steps(words: str) -> Iterator[str]:
    dockerfile = _DOCKERFILE.search(words)
    yield f"#1 [internal] load build definition from {dockerfile[1].strip(chr(39)) if dockerfile else 'Dockerfile'}"
    yield "#1 DONE 0.0s"
    yield ""
    yield "#5 [1/3] FROM docker.io/library/alpine:3.22"
    yield "#5 DONE 0.6s"
    yield ""
    yield "#6 [2/3] COPY . ."
    yield f"#6 {'DONE 0.1s' if '--no-cache' in words else 'CACHED'}"
    yield ""


def _digest(words: str) -> str:
    return f"sha256:{hashlib.sha256(words.encode()).hexdigest()}"
