"""What the container of a build runs: BuildKit, image after image, and at the end the digests of what it pushed.

Nothing that anybody wrote is a word of the shell: each value is quoted.
"""

import shlex
from collections.abc import Sequence

from core.manifest.image_builds import ImageBuild

SOURCE = "/source"
SECRETS = "/run/build-secrets"
# A kubelet reads this file back as the message of the container's end.
DIGESTS = "/dev/termination-log"
# How the container ends that has fetched what it cannot unpack.
NOT_UNPACKED = 5
# Between two tries to reach the bot: a quarter of an hour in all, twice what a lost node of it costs (deploy/README.md). A build
# whose time is over first is ended by its Job.
PAUSES = "1 2 4 8 16 32 60 60 60 60 60 60 60 60 60 60 60 60 60 60 0"
BEARER = '--header "Authorization: Bearer $SOURCE_TOKEN"'
# `limit`: a node that is gone answers nothing, not even that, and one try may take a quarter of an hour (BusyBox: 900 s) without
# it; Debian's BusyBox knows no such limit. `denied`: BusyBox was told what will be the same later on, unlike a time-out and too
# many requests. A proxy says so of a bot that is away for a moment, too: it counts after a minute.
TRYING = """\
limit=
if wget --help 2>&1 | grep -q -e '-T'; then limit='-T 30'; fi
denied() { grep -q 'error: HTTP/[0-9.]* 4' /tmp/wget.log && ! grep -qE 'HTTP/[0-9.]* 4(08|29)' /tmp/wget.log; }
"""
# What is sent is the archive as it was uploaded.
FETCH = f"""\
set -eu
{TRYING}for pause in {PAUSES}; do
  if wget -q $limit -O /tmp/source.tgz {BEARER} "$SOURCE_URL" 2>/tmp/wget.log; then
    if tar -xzf /tmp/source.tgz -C {SOURCE} 2>/tmp/tar.log; then
      rm /tmp/source.tgz
      exit 0
    fi
    echo "the source cannot be unpacked: $(tail -n 1 /tmp/tar.log)" | tee /dev/termination-log
    exit {NOT_UNPACKED}
  fi
  test $pause -lt 60 || ! denied || break
  sleep $pause
done
cat /tmp/wget.log
echo "the source could not be fetched from $SOURCE_URL" | tee /dev/termination-log
exit 1
"""
_HEAD = """\
# A link in the source may lead to the login at the registry, which no image may hold.
inside() {
  case "$(cd "$1" 2>/dev/null && pwd -P)/" in
    /source/*) ;;
    *) echo "error: there is no folder $1, or it leads out of the source"; exit 1 ;;
  esac
}
digest() { sed -n 's/.*"containerimage.digest": *"\\(sha256:[0-9a-f]\\{64\\}\\)".*/\\1/p' "$1"; }
"""


def build_script(
    images: Sequence[ImageBuild],
    *,
    repository: str,
    build: str,
    no_cache: bool,
    said: Sequence[str] = (),
    check: str = "",
) -> str:
    """Return the script that builds and pushes images one after the other, each with a cache of its own in the registry.

    A cache holds what one build of one image was made of, so what is pushed over it forgets all other images. Stages
    that images share are made once: the state of BuildKit stays in the pod from one image to the next.

    Its arguments are those of `secret_words`: which secrets a pod has is decided with its Secret, before a clone tells more.

    Args:
        images: what is built.
        repository: where it is pushed, without a tag.
        build: id of the build, part of each tag.
        no_cache: build every step anew; what comes of it is kept for the next build all the same.
        said: the first lines of its log.
        check: what is done before anything else.
    """
    parts = ["set -eu\n", check, _HEAD, *(f"echo {shlex.quote(line)}\n" for line in said)]
    for number, image in enumerate(images, start=1):
        if image.copied:
            parts.append(_copying(image, repository, build, number, len(images)))
            continue
        words = f'{shlex.join(_building(image, repository, build, no_cache=no_cache))} "$@" --metadata-file /tmp/{number}.json'
        title = f"Building {', '.join(image.services)} ({number}/{len(images)})"
        parts.append(f"inside {shlex.quote(_folder(image))}\n")
        parts.append(f"echo {shlex.quote(title)}\nbuildctl-daemonless.sh {words}\n")
        parts.append(f"digest /tmp/{number}.json >> {DIGESTS}\n")
        parts.append(_keeping(image, repository))
    return "".join(parts)


def _keeping(image: ImageBuild, repository: str) -> str:
    """Return what keeps the steps of an image in the registry; the image is there, so that nothing fails without them.

    BuildKit 0.34 pushes image and cache at once where one call asks for both, and two pushes of one layer to one repository
    disturb each other: Debian's registry 2.8 refuses one of them ("provided digest did not match uploaded content") now and
    then, and with it the build. Every step is in the pod by now, so that none is taken a second time.
    """
    words = [*_arguments(image), "--export-cache", f"{_cache(image, repository)},mode=max,ignore-error=true"]
    return (
        "echo 'Keeping what the next build begins with'\n"
        f'buildctl-daemonless.sh {shlex.join(words)} "$@" > /dev/null 2>&1 || echo "it could not be kept"\n'
    )


def _copying(image: ImageBuild, repository: str, build: str, number: int, count: int) -> str:
    """Return what copies an image: a Dockerfile that begins with it and does nothing, and none of the build's secrets."""
    folder = f"/tmp/copy-{number}"  # noqa: S108 - of the container
    words = ["build", "--progress=plain", "--frontend", "dockerfile.v0"]
    words += [
        "--local",
        f"context={folder}",
        "--local",
        f"dockerfile={folder}",
        *_output(image, repository, build),
    ]
    said = f"Copying {image.copied} for {', '.join(image.services)} ({number}/{count})"
    return (
        f"mkdir -p {folder}\necho {shlex.quote(f'FROM {image.copied}')} > {folder}/Dockerfile\n"
        f"echo {shlex.quote(said)}\nbuildctl-daemonless.sh {shlex.join(words)} --metadata-file /tmp/{number}.json\n"
        f"digest /tmp/{number}.json >> {DIGESTS}\n"
    )


def secret_words(names: Sequence[str]) -> list[str]:
    """Return the arguments of a build's script: a BuildKit secret of each name, which is a file in `SECRETS`."""
    return [word for name in names for word in ("--secret", f"id={name},src={SECRETS}/{name}")]


def tag(service: str, build: str) -> str:
    return f"{service}.{build}"


def cache_tag(service: str) -> str:
    """Return the tag of what the next build of a service begins with; it has no dot, as all others have."""
    return f"cache-{service}"


def _building(image: ImageBuild, repository: str, build: str, *, no_cache: bool) -> list[str]:
    """Return the arguments of `buildctl` that build an image and push it."""
    begins = ["--no-cache"] if no_cache else ["--import-cache", _cache(image, repository)]
    return [*_arguments(image), *begins, *_output(image, repository, build)]


def _arguments(image: ImageBuild) -> list[str]:
    """Return what names the steps of an image to `buildctl`, as documented for v0.13 and newer."""
    folder = _folder(image)
    words = ["build", "--progress=plain", "--frontend", "dockerfile.v0"]
    words += ["--local", f"context={folder}", "--local", f"dockerfile={folder}"]
    words += ["--opt", f"filename={image.dockerfile}"]
    for name, value in image.args:
        words += ["--opt", f"build-arg:{name}={value}"]
    return words


def _cache(image: ImageBuild, repository: str) -> str:
    return f"type=registry,ref={repository}:{cache_tag(image.services[0])}"


def _output(image: ImageBuild, repository: str, build: str) -> list[str]:
    """Return where an image is pushed; its names stand in one field of a line of CSV."""
    names = ",".join(f"{repository}:{tag(service, build)}" for service in image.services)
    return ["--output", f'type=image,"name={names}",push=true']


def _folder(image: ImageBuild) -> str:
    return SOURCE if image.path == "." else f"{SOURCE}/{image.path}"
