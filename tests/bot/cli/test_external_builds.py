"""`convox-bot build --external`: this machine builds and pushes with the program that it has, and the release holds the digests."""

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from bot.cli import build_commands
from bot.cli.image_builders import FINDERS
from bot.cli.main import main
from bot.cli.programs import run_program
from bot.cli.pushed_digests import metadata_digest, repository_digest
from bot.cli.rack_url import CliError
from tests.bot.api.asking import IMAGES
from tests.bot.api.serving import serving

STUB = Path(__file__).with_name("image_builder_stub.py")
MANIFEST = """\
services:
  web:
    build:
      path: ./site
      manifest: Dockerfile.web
      args: [COLOUR=blue]
    port: 3000
  worker:
    build: .
  clock:
    build: .
  cache:
    image: redis:7
"""
REGISTRY = "registry.example:5000/shop"
TAG = r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}"


class Programs:
    """A PATH with nothing on it but stand-ins."""

    def __init__(self, path):
        self.state, self.path = path / "stub", path / "bin"
        self.state.mkdir()
        self.path.mkdir()

    def add(self, *names):
        for name in names:
            program = self.path / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {STUB} {name} "$@"\n')
            program.chmod(0o755)

    def be(self, what):
        (self.state / what).touch()

    @property
    def calls(self):
        return [json.loads(line) for line in (self.state / "calls").read_text().splitlines()]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    made = Programs(tmp_path)
    monkeypatch.setenv("PATH", str(made.path))
    monkeypatch.setenv("STUB", str(made.state))
    monkeypatch.setenv("CONVOX_REGISTRY", REGISTRY)
    return made


@pytest.fixture
async def api(tmp_path, monkeypatch, programs):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        yield made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "app"
    (folder / "site").mkdir(parents=True)
    (folder / "convox.yml").write_text(MANIFEST)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "site" / "Dockerfile.web").write_text("FROM nginx\n")
    monkeypatch.chdir(folder)
    return folder


async def built(*words):
    return await asyncio.to_thread(main, ["build", "-a", "myapp", *words])


async def images(api):
    (entry,) = await api.store.read.builds("myapp", 9)
    return dict(entry.images)


@pytest.mark.parametrize(
    ("names", "like", "words", "name"),
    [
        (["docker", "buildx", "podman"], ["plugin"], ["--external"], "docker buildx"),
        (["docker", "podman"], [], ["--external"], "docker"),
        (["docker"], ["podman"], ["--external"], "podman"),
        (["buildx", "podman"], [], ["--external"], "buildx"),
        (["podman"], [], ["--external"], "podman"),
        (["docker", "podman"], ["plugin"], ["--external=podman"], "podman"),
        (["docker", "buildx"], [], ["--external=buildx"], "buildx"),
        (["docker", "buildx"], ["plugin"], ["--external=buildx"], "docker buildx"),
    ],
)
async def test_the_release_holds_what_was_pushed(api, folder, programs, capfd, names, like, words, name):
    programs.add(*names)
    for each in like:
        programs.be(each)

    assert await built(*words) == 0

    found, out = await images(api), capfd.readouterr().out
    web, worker = found["web"], found["worker"]
    assert found == {"web": web, "worker": worker, "clock": worker, "cache": "redis:7"}
    assert re.fullmatch(rf"{REGISTRY}/myapp:web\.{TAG}@sha256:[0-9a-f]{{64}}", web)
    assert re.fullmatch(rf"{REGISTRY}/myapp:worker\.{TAG}@sha256:[0-9a-f]{{64}}", worker)
    (release,) = await api.store.read.releases("myapp", 9)
    assert out.splitlines() == [
        f"Building web with {name}: {web.partition('@')[0]}",
        "STEP 1/1: FROM nginx",
        f"Building worker, clock with {name}: {worker.partition('@')[0]}",
        "STEP 1/1: FROM scratch",
        f"Build: {release.build}",
        f"Release: {release.id}",
    ]


async def test_flags_reach_the_program_and_images_that_are_given_are_not_built(api, folder, programs):
    programs.add("podman")
    words = ["--external", "--registry", "https://other.example/", "--no-cache", "--build-args", "A=x,y=z"]
    assert await built(str(folder), *words, f"--image=worker={IMAGES['worker']}", "--image=clock=a/b:1") == 0

    found = await images(api)
    assert found["web"].startswith("other.example/myapp:web.")
    assert (found["worker"], found["clock"]) == (IMAGES["worker"], "a/b:1")
    (build,) = [call for call in programs.calls if call[1] == "build"]
    name = found["web"].partition("@")[0]
    assert build[2:] == [
        *("--tag", name, "--file", str(folder / "site" / "Dockerfile.web")),
        *("--build-arg", "A=x,y=z", "--build-arg", "COLOUR=blue", "--no-cache"),
        str(folder / "site"),
    ]


async def test_docker_hub_is_known_to_docker_without_its_host(api, folder, programs):
    programs.add("docker")
    assert await built("--external", "--registry", "docker.io/shop") == 0

    assert (await images(api))["web"].startswith("docker.io/shop/myapp:web.")


async def test_with_id_the_program_writes_where_no_script_reads(api, folder, programs, capfd):
    programs.add("docker")
    assert await built("--external", "--id") == 0

    out, err = capfd.readouterr()
    (release,) = await api.store.read.releases("myapp", 9)
    assert out == release.id
    assert "STEP 1/1: FROM nginx" in err


async def test_where_every_service_has_its_image_no_program_is_needed(api, folder):
    given = [f"--image={name}=a/b:1" for name in ("web", "worker", "clock")]
    assert await built("--external", *given) == 0
    assert (await images(api))["web"] == "a/b:1"


async def test_deploy_promotes_what_this_machine_has_built(api, folder, programs, capfd):
    programs.add("podman")
    assert await asyncio.to_thread(main, ["deploy", "-a", "myapp", "--external"]) == 0

    out = capfd.readouterr().out.splitlines()
    assert out[-1] == "OK"
    (release,) = await api.store.read.releases("myapp", 9)
    assert (await api.store.read.app("myapp")).active_release == release.id


@pytest.mark.parametrize(
    ("name", "like", "sentence", "hint"),
    [
        (
            "docker",
            ["plugin", "refuse"],
            "docker buildx could not build and push NAME: it ended with exit code 1",
            "what it wrote says why; where the push was refused: `docker login registry.example:5000`; nothing was registered",
        ),
        (
            "docker",
            ["refuse"],
            "docker could not push NAME: it ended with exit code 1",
            "what it wrote says why; where the push was refused: `docker login registry.example:5000`; nothing was registered",
        ),
        (
            "podman",
            ["refuse"],
            "podman could not push NAME: it ended with exit code 1",
            "what it wrote says why; where the push was refused: `podman login registry.example:5000`; nothing was registered",
        ),
        (
            "docker",
            ["plugin", "mute"],
            "docker buildx pushed NAME and did not say its digest",
            "nothing was registered; a newer docker buildx may say it, or register the image with --image",
        ),
        (
            "docker",
            ["mute"],
            "docker pushed NAME and did not say its digest",
            "nothing was registered; a newer docker may say it, or register the image with --image",
        ),
        (
            "podman",
            ["mute"],
            "podman pushed NAME and did not say its digest",
            "nothing was registered; a newer podman may say it, or register the image with --image",
        ),
    ],
)
async def test_a_push_that_fails_is_a_sentence(api, folder, programs, capfd, name, like, sentence, hint):
    programs.add(name)
    for each in like:
        programs.be(each)

    assert await built("--external") == 1

    told = capfd.readouterr().err.splitlines()[-2:]
    assert re.fullmatch(
        re.escape(f"ERROR: {sentence}").replace("NAME", rf"{REGISTRY}/myapp:web\.{TAG}"), told[0]
    )
    assert told[1] == hint
    assert await api.store.read.builds("myapp", 9) == []


@pytest.mark.parametrize("name", ["docker", "podman"])
async def test_a_dockerfile_that_fails_is_a_sentence(api, folder, programs, capfd, name):
    programs.add(name)
    (folder / "Dockerfile").write_text("RUN no-such-program\n")

    assert await built("--external") == 1

    told = capfd.readouterr().err.splitlines()
    assert told[-3] == "no-such-program: not found"
    assert re.fullmatch(
        rf"ERROR: {name} could not build {REGISTRY}/myapp:worker\.{TAG}: it ended with exit code 1", told[-2]
    )
    assert told[-1] == "what it wrote says why; nothing was registered"
    assert await api.store.read.builds("myapp", 9) == []


async def test_what_is_not_there_is_told(api, folder, programs, monkeypatch, capfd):
    assert await built("--external") == 1
    assert "neither docker, buildx nor podman is among the programs of this machine" in capfd.readouterr().err
    for name in FINDERS:
        assert await built(f"--external={name}") == 1
        assert f"ERROR: {name} is not among the programs of this machine" in capfd.readouterr().err

    monkeypatch.delenv("CONVOX_REGISTRY")
    assert await built("--external") == 1
    assert "ERROR: --external pushes to a registry, and none is named" in capfd.readouterr().err
    assert await built("--external", "--registry", "a b") == 1
    assert "ERROR: 'a b' is no registry" in capfd.readouterr().err
    (folder / "Dockerfile").unlink()
    assert await built("--external", "--registry=a.example") == 1
    assert "ERROR: worker, clock cannot be built: there is no Dockerfile in ." in capfd.readouterr().err


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        ("${FOLDER}", "build of web says ${…}, and what stands for that are variables of myapp"),
        ("../other", 'build of service web must stay inside the source: "../other"'),
    ],
)
async def test_what_cannot_be_built_here_is_told(api, folder, programs, capfd, build, sentence):
    (folder / "convox.yml").write_text(f"services:\n  web:\n    build: {build}\n")
    assert await built("--external") == 1
    assert sentence in capfd.readouterr().err


async def test_an_app_whose_name_no_registry_takes_is_told(api, folder, programs, capfd):
    assert await asyncio.to_thread(main, ["build", "-a", "my app", "--external"]) == 1
    assert "nothing can be pushed as" in capfd.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{", '{"containerimage.digest": ""}'])
def test_metadata_without_a_digest_have_none(text):
    assert metadata_digest(text) == ""


@pytest.mark.parametrize("text", ["", "{}", "null", "[]", '["a.example/shop/web@sha256:1", "web@sha256:2"]'])
def test_an_image_that_is_known_elsewhere_only_has_no_digest_here(text):
    assert repository_digest(text, "b.example/shop/myweb") == ""


def test_a_program_that_cannot_be_run_is_a_sentence(tmp_path, capfd):
    with pytest.raises(CliError, match=r"no: .*/bad cannot be run: No such file") as told:
        run_program([str(tmp_path / "bad")], "no", sys.stdout, "look")
    assert told.value.hint == "look"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--registry", "a.example"],
            "convox-bot build: --registry says where --external pushes, and that is not given",
        ),
        (["--external", "--only-newest"], "convox-bot build: --only-newest is of builds that wait"),
    ],
)
def test_flags_that_do_not_go_together_are_wrong_usage(capsys, words, sentence):
    assert main(["build", "-a", "myapp", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_only_programs_that_are_known_can_be_named(capsys):
    assert tuple(FINDERS) == build_commands.EXTERNAL
    with pytest.raises(SystemExit, match="2"):
        main(["build", "-a", "myapp", "--external=kaniko"])
