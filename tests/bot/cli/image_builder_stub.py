"""Stands in for docker, buildx and podman: takes the flags that their documentation has and no others, and keeps what it is given.

Run as `image_builder_stub.py NAME ARGUMENTS…`; `STUB` of the environment is the folder where it keeps that, and what it is
to be like: files there called `plugin` (docker has buildx), `podman` (docker is podman), `mute` (no digest is said) and
`refuse` (no push is taken).
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

STATE = Path(os.environ.get("STUB", "."))


def main(name, words):
    with (STATE / "calls").open("a") as calls:
        calls.write(json.dumps([name, *words]) + "\n")
    podman = name == "podman" or is_like("podman")
    match words:
        case ["--version"]:
            say("podman version 4.9.3" if podman else "Docker version 27.3.1, build ce12230")
        case ["buildx", *rest] if name == "docker" and is_like("plugin"):
            buildx(rest)
        case _ if name == "buildx":
            buildx(words)
        case ["build", *rest]:
            keep(build(rest))
        case ["push", *rest]:
            push(rest, podman=podman)
        case ["image", "inspect", *rest] if not podman:
            inspect(rest)
        case _:
            sys.exit(f"{name}: {words[0]!r} is not a {name} command.")


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def is_like(what):
    return (STATE / what).exists()


def buildx(words):
    if words == ["version"]:
        say("github.com/docker/buildx v0.17.1 257815a")
        return
    assert words[0] == "build"
    given = build(words[1:], buildx=True)
    assert given.push
    refuse()
    said = {} if is_like("mute") else {"containerimage.digest": digest_of(keep(given))}
    Path(given.metadata_file).write_text(json.dumps(said))


def build(words, *, buildx=False):
    parser = argparse.ArgumentParser()
    parser.add_argument("--tag", required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--build-arg", action="append", default=[])
    parser.add_argument("--no-cache", action="store_true")
    parser.add_argument("folder")
    if buildx:
        parser.add_argument("--push", action="store_true")
        parser.add_argument("--metadata-file", required=True)
    given = parser.parse_args(words)
    dockerfile = Path(given.file).read_text()
    say(f"STEP 1/1: {dockerfile.strip()}")
    if "no-such-program" in dockerfile:
        sys.exit("no-such-program: not found")
    return given


def keep(given):
    """Keep an image under its name, and return that."""
    made = [given.tag, Path(given.file).read_text(), given.build_arg, given.no_cache, given.folder]
    (STATE / hashlib.sha256(given.tag.encode()).hexdigest()).write_text(json.dumps(made))
    return given.tag


def digest_of(name):
    kept = STATE / hashlib.sha256(name.encode()).hexdigest()
    if not kept.exists():
        sys.exit(f"An image does not exist locally with the tag: {name}")
    return f"sha256:{hashlib.sha256(kept.read_bytes()).hexdigest()}"


def push(words, *, podman):
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    if podman:
        parser.add_argument("--digestfile")
    given = parser.parse_args(words)
    digest = digest_of(given.name)
    refuse()
    if podman and not is_like("mute"):
        Path(given.digestfile).write_text(digest)


def inspect(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--format")
    parser.add_argument("name")
    given = parser.parse_args(words)
    assert given.format == "{{json .RepoDigests}}"
    repository = given.name.rpartition(":")[0].removeprefix("docker.io/")
    other = f"elsewhere.example/myapp@sha256:{'f' * 64}"
    say(json.dumps([other, *([] if is_like("mute") else [f"{repository}@{digest_of(given.name)}"])]))


def refuse():
    if is_like("refuse"):
        sys.exit("denied: requested access to the resource is denied")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
