"""The script of a build with a real BuildKit and a real registry: source in, images out, by the digests that the release holds."""

import shutil
from dataclasses import replace

import pytest

from core.records.git_address import INSECURE
from tests.builders.registry import PASSWORD
from tests.core.cluster.builds.repositories import served

pytestmark = pytest.mark.timeout(120)

TWO = """\
services:
  web: {build: ., port: 3000}
  worker: {build: {path: ., manifest: Dockerfile.worker, args: [GREETING=hello]}}
"""
ONE = "services:\n  web: {build: ., port: 3000}\n"
BASE = "FROM scratch AS base\nCOPY busybox /bin/sh\nCOPY busybox /bin/cat\n"
WEB = BASE + "RUN echo made > /made\n"
LOGIN = "does the registry take CONVOX_REGISTRY_USER and CONVOX_REGISTRY_PASSWORD, and may that account push there?"
NETWORK = "is the registry up, and does the NetworkPolicy of deploy/builds.yaml let builds reach it?"
WORKER = BASE + 'ARG GREETING\nRUN echo "$GREETING to all" > /greeting\n'


def part(log: list[str], number: int) -> str:
    """Return what was written of one image of two."""
    marks = [at for at, line in enumerate(log) if line.startswith("Building ")]
    return "\n".join(log[marks[number - 1] : (*marks, len(log))[number]])


async def test_a_folder_becomes_images_which_the_registry_has_by_the_digests_of_the_release(yard):
    yard.write(convox__yml=TWO, Dockerfile=WEB, Dockerfile__worker=WORKER)
    run = await yard.build()
    assert run.status == "complete", run.reason
    build = await yard.api.store.read.build("myapp", run.id)
    for service in ("web", "worker"):
        name, _, digest = build.images[service].partition("@")
        assert name == f"{yard.registry.host}/apps/myapp:{service}.{run.id}"
        assert digest == await yard.registry.digest("apps/myapp", f"{service}.{run.id}")
    assert build.images["web"].partition("@")[2] != build.images["worker"].partition("@")[2]

    again = await yard.build()
    for number, step in ((1, "RUN echo made"), (2, 'RUN echo "hello to all"')):
        assert step in part(await yard.log(run), number)
        assert "CACHED" in after(step, part(await yard.log(again), number)), "the cache is kept of each image"
    assert (
        (await yard.api.store.read.build("myapp", again.id))
        .images["web"]
        .endswith(build.images["web"].partition("@")[2])
    )

    anew = await yard.log(await yard.build("--no-cache"))
    # Of the second image alone, since what was made a moment ago is not made twice.
    assert "CACHED" not in part(anew, 1)


def after(step: str, text: str) -> str:
    return text[text.index(step) :].split("\n\n", maxsplit=1)[0]


async def test_a_local_repository_of_git_becomes_images_of_its_commit(yard, tmp_path):
    with served(tmp_path / "git") as host:
        (host.folder / "shop").mkdir(parents=True)
        shutil.copy(yard.folder / "busybox", host.folder / "shop" / "busybox")
        files = {"convox.yml": TWO, "Dockerfile": WEB, "Dockerfile.worker": WORKER}
        commit = host.repository("shop", files)
        yard.jobs.settings = replace(yard.jobs.settings, git_schemes=INSECURE)
        yard.api.builds.starter._git_schemes = INSECURE
        run = await yard.build_git(f"{host.url}/shop")
        later = host.commit("shop", {"convox.yml": ONE}, "one is enough")
        again = await yard.build_git(f"{host.url}/shop", "--ref", "main")
    assert run.status == "complete", run.reason
    build = await yard.api.store.read.build("myapp", run.id)
    assert (build.git_sha, build.description) == (commit, f"build {commit[:10]} first")
    for service in ("web", "worker"):
        digest = build.images[service].partition("@")[2]
        assert digest == await yard.registry.digest("apps/myapp", f"{service}.{run.id}")
    assert again.status == "complete", again.reason
    newer = await yard.api.store.read.build("myapp", again.id)
    assert (newer.git_sha, list(newer.images)) == (later, ["web"])


async def test_what_image_names_is_copied_into_the_registry_of_the_rack(yard):
    yard.api.builds.starter._copy_images = True
    yard.write(convox__yml=ONE, Dockerfile=WEB)
    first = await yard.build()
    theirs = f"{yard.registry.host}/apps/myapp:web.{first.id}"
    yard.write(convox__yml=f"{ONE}  cache: {{image: '{theirs}'}}\n")
    run = await yard.build()
    assert run.status == "complete", run.reason
    name, _, digest = (await yard.api.store.read.build("myapp", run.id)).images["cache"].partition("@")
    assert name == f"{yard.registry.host}/apps/myapp:cache.{run.id}"
    assert digest == await yard.registry.digest("apps/myapp", f"cache.{run.id}")
    assert f"Copying {theirs} for cache (2/2)" in await yard.log(run)


async def test_a_variable_reaches_a_step_as_a_secret_and_neither_the_log_nor_the_image(yard):
    value = "s3cret-of-the-variable"
    await yard.api.command(f"env set KEY={value} -a myapp")
    dockerfile = f"{BASE}RUN --mount=type=secret,id=KEY cat /run/secrets/KEY\n"
    yard.write(
        convox__yml="services:\n  web: {build: ., port: 3000, environment: [KEY]}\n", Dockerfile=dockerfile
    )
    run = await yard.build()
    assert run.status == "complete", run.reason
    assert value in "\n".join(line.text for line in yard.jobs.kept[run.id].lines), "a step has read it"
    assert value not in "\n".join(await yard.log(run))
    assert value.encode() not in await yard.registry.everything("apps/myapp", f"web.{run.id}")


STEP = BASE + "RUN echo before >&2; exit 7\n"
WRONG = {
    STEP: 'process "/bin/sh -c echo before >&2; exit 7" did not complete successfully: exit code: 7',
    f"{BASE}RUNN x\n": "dockerfile parse error on line 4: unknown instruction: RUNN (did you mean RUN?)",
    f"{BASE}COPY nothere /x\n": '"/nothere": not found; it is not in the source, or .dockerignore keeps it out',
    "FROM {host}/none:1\n": "{host}/none:1: failed to resolve source metadata for {host}/none:1: {host}/none:1: not found"
    "; is its name right, and has the app a login there (`registries add`)?",
}


async def test_what_is_wrong_with_a_dockerfile_is_the_reason(yard):
    for dockerfile, reason in WRONG.items():
        yard.write(convox__yml=TWO, Dockerfile=dockerfile.replace("{host}", yard.registry.host))
        run = await yard.build()
        assert (run.status, str(run.reason)) == ("failed", reason.replace("{host}", yard.registry.host))


async def test_why_nothing_is_pushed_is_the_reason(locked_yard):
    yard, right = locked_yard, locked_yard.jobs.settings
    yard.write(convox__yml=ONE, Dockerfile=WEB)
    for settings, reason in (
        (replace(right, account=replace(right.account, secret="wrong")), f"401 Unauthorized; {LOGIN}"),
        (replace(right, account=None), f"401 Unauthorized; {LOGIN}"),
        (replace(right, registry="127.0.0.1:1/apps"), f"connect: connection refused; {NETWORK}"),
    ):
        yard.jobs.settings = settings
        run = await yard.build()
        assert run.status == "failed"
        assert str(run.reason).startswith(f"failed to push {settings.registry}/myapp:web.{run.id}: ")
        assert str(run.reason).endswith(reason), run.reason
    yard.jobs.settings = right
    run = await yard.build()
    assert run.status == "complete", run.reason
    assert PASSWORD not in "\n".join(line.text for line in yard.jobs.kept[run.id].lines)


async def test_a_node_that_makes_no_user_namespaces_is_the_reason(yard):
    yard.write(convox__yml=ONE, Dockerfile=WEB)
    yard.jobs.escalates = False
    run = await yard.build()
    assert run.status == "failed"
    assert str(run.reason).startswith("BuildKit did not start: failed to setup UID/GID map: ")
    assert str(run.reason).endswith(
        "; the nodes must let an ordinary user make user namespaces, as deploy/builds.yaml says at its beginning"
    )
