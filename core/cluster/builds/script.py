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
# Retried for as long as the bot may be starting again; what is sent is the archive as it was uploaded.
FETCH = """\
set -eu
for pause in 1 2 4 8 16 32 0; do
  if wget -q -O /tmp/source.tgz --header "Authorization: Bearer $SOURCE_TOKEN" "$SOURCE_URL"; then
    tar -xzf /tmp/source.tgz -C /source
    rm /tmp/source.tgz
    exit 0
  fi
  sleep $pause
done
echo "the source could not be fetched from $SOURCE_URL" | tee /dev/termination-log
exit 1
"""
_HEAD = """\
set -eu
digest() { sed -n 's/.*"containerimage.digest": *"\\(sha256:[0-9a-f]\\{64\\}\\)".*/\\1/p' "$1"; }
"""


def build_script(
    images: Sequence[ImageBuild],
    *,
    repository: str,
    build: str,
    no_cache: bool,
    secrets: Sequence[str],
) -> str:
    """Return the script that builds and pushes images one after the other, with one cache for all of them.

    Args:
        images: what is built.
        repository: where it is pushed, without a tag.
        build: id of the build, part of each tag.
        no_cache: build every step anew; what comes of it is kept for the next build all the same.
        secrets: names of the BuildKit secrets, each a file of that name in `SECRETS`.
    """
    parts = [_HEAD]
    for number, image in enumerate(images, start=1):
        arguments = _arguments(image, repository, build, no_cache=no_cache, secrets=secrets)
        words = [*arguments, "--metadata-file", f"/tmp/{number}.json"]  # noqa: S108 - of the container
        said = f"Building {', '.join(image.services)} ({number}/{len(images)})"
        parts.append(f"echo {shlex.quote(said)}\nbuildctl-daemonless.sh {shlex.join(words)}\n")
        parts.append(f"digest /tmp/{number}.json >> {DIGESTS}\n")
    return "".join(parts)


def tag(service: str, build: str) -> str:
    return f"{service}.{build}"


def _arguments(
    image: ImageBuild, repository: str, build: str, *, no_cache: bool, secrets: Sequence[str]
) -> list[str]:
    """Return the arguments of `buildctl`, as documented for v0.13 and newer."""
    folder = SOURCE if image.path == "." else f"{SOURCE}/{image.path}"
    names = ",".join(f"{repository}:{tag(service, build)}" for service in image.services)
    cache = f"type=registry,ref={repository}:cache"
    words = ["build", "--progress=plain", "--frontend", "dockerfile.v0"]
    words += ["--local", f"context={folder}", "--local", f"dockerfile={folder}"]
    words += ["--opt", f"filename={image.dockerfile}"]
    for name, value in image.args:
        words += ["--opt", f"build-arg:{name}={value}"]
    for name in secrets:
        words += ["--secret", f"id={name},src={SECRETS}/{name}"]
    words += ["--no-cache"] if no_cache else ["--import-cache", cache]
    words += ["--export-cache", f"{cache},mode=max,ignore-error=true"]
    # The names stand in one field of a line of CSV.
    return [*words, "--output", f'type=image,"name={names}",push=true']
