"""`convox-bot build` of a folder: what is printed is what Convox prints, and every way in which there is no release is said."""

import asyncio
import io
import re
import tarfile
from dataclasses import asdict
from typing import Any

import pytest

from bot.cli.client import ConnectionLost, RackClient
from bot.cli.main import main
from bot.cli.output import say
from bot.cli.packaging.package import package
from bot.cli.rack_url import CliError, RackUrl
from bot.cli.source_builds import BuildLogReader
from bot.cli.steps import Steps
from core.errors import Conflict
from core.policy.authorization import parse_policy
from core.ports.builds import JobLogLine
from storage.builds import writes
from tests.bot.api.asking import IMAGES, MANIFEST, policy_of
from tests.bot.api.serving import serving
from tests.bot.cli.glass import Glass
from tests.bot.cli.window import Window
from tests.core.building.nursery import FAILED

LOG = ["#1 [internal] load build definition from Dockerfile", "#2 DONE 0.1s"]


GOES_ON = (
    r"(B[A-Z]{10}) goes on without this terminal: "
    r"`convox-bot do builds info \1 -a myapp` shows it, `convox-bot do builds cancel \1 -a myapp` stops it"
)


@pytest.fixture
async def api(tmp_path, monkeypatch):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        for each in (made.builds.starter, made.builds.viewer):
            monkeypatch.setattr(each, "_sources", made.sources._sources)
        made.builds.jobs.lines = [JobLogLine(str(number), line) for number, line in enumerate(LOG)]
        yield made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "convox.yml").write_text(MANIFEST)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / ".dockerignore").write_text("secret\n")
    (folder / "secret").write_text("s3cret")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(folder)
    return folder


async def run(*words):
    return await asyncio.to_thread(main, [words[0], "-a", "myapp", *words[1:]])


async def test_the_terminal_of_the_documentation(api, folder, capsys):
    assert await run("build") == 0

    (release,) = await api.store.read.releases("myapp", 9)
    assert capsys.readouterr().out.splitlines() == [
        "Packaging source... OK",
        "Uploading source... OK",
        "Starting build... OK",
        *LOG,
        f"Build: {release.build}",
        f"Release: {release.id}",
    ]


async def test_two_builds_of_the_same_folder_at_once_are_two_releases(api, folder, capsys, monkeypatch):
    """The second one's source has its build already: what both have sent was one source."""
    real, asked = api.builds.starter._check, []

    async def check(app, request):
        await real(app, request)
        asked.append(request.source)
        if len(asked) == 1:  # the other command is a moment faster
            await api.builds.ask(source=request.source)

    monkeypatch.setattr(api.builds.starter, "_check", check)
    with io.BytesIO() as into:
        archive = package(folder, "convox.yml", MANIFEST, into)
        begun = await api.sources._sources.create("myapp", archive.digest, archive.size)
        await api.sources._sources.append(begun.id, 0, into.getvalue()[:10])
    assert await run("build") == 0

    assert asked[0] == begun.id != asked[2]
    said = capsys.readouterr()
    assert said.out.count("Uploading source... OK") == 2
    assert f"the source {begun.id} has its build already: another command uploaded the same" in said.err
    assert len(await api.store.read.releases("myapp", 9)) == 2


async def test_a_queue_that_is_full_is_no_reason_to_upload_again(api, folder, capsys, monkeypatch):
    async def check(app, request):
        raise Conflict("20 builds of myapp wait already")

    monkeypatch.setattr(api.builds.starter, "_check", check)
    assert await run("build") == 1
    said = capsys.readouterr()
    assert said.out.count("Uploading source... OK") == 1
    assert "20 builds of myapp wait already" in said.err


async def test_what_is_built_is_the_folder_by_its_flags(api, folder, monkeypatch, capsys):
    seen: dict[str, Any] = {}
    real = api.builds.starter.start

    async def start(caller, app, asked, **given):
        path = await api.sources._sources.open(asked.source)
        with tarfile.open(path) as tar:
            seen.update(asdict(asked), **given, names=tar.getnames())
        return await real(caller, app, asked, **given)

    monkeypatch.setattr(api.builds.starter, "start", start)
    words = ["--build-args", "A=x,y", "--build-args", "B=1=2", "--no-cache", "--only-newest", "-d", "by hand"]
    assert await run("build", *words, f"--image=web={IMAGES['web']}") == 0

    assert (
        "no --image is given of worker, so the rack is asked to build the folder" in capsys.readouterr().err
    )
    assert seen["names"] == [".dockerignore", "Dockerfile", "convox.yml"]
    assert {
        name: seen[name]
        for name in ("build_args", "no_cache", "only_newest", "description", "manifest_path", "images")
    } == {
        "build_args": {"A": "x,y", "B": "1=2"},
        "no_cache": True,
        "only_newest": True,
        "description": "by hand",
        "manifest_path": "convox.yml",
        "images": {"web": IMAGES["web"]},
    }


async def test_where_every_service_has_its_image_nothing_is_uploaded(api, folder, capsys):
    given = [f"--image={name}={reference}" for name, reference in IMAGES.items()]
    assert await run("build", *given) == 0
    assert "source" not in capsys.readouterr().out

    assert await run("build", *given, "--no-cache") == 1
    assert "no-cache: without a source nothing is built" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--external", "--registry", "registry.example/shop"]])
async def test_an_image_of_no_service_is_refused_before_anything_is_sent(api, folder, capsys, more):
    assert await run("build", "--image", "wbe=x:1", "--image", "web=x:1", *more) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err == "ERROR: no such service: 'wbe'\nthe manifest has web, worker; nothing was built\n"


async def test_services_that_the_environment_names_are_not_judged_here(api, folder, capsys):
    (folder / "convox.yml").write_text('services: {"${NAME}": {image: x}, web: {build: .}}\n')
    assert await run("build", "--image", "api=x:1") == 1

    assert "Uploading source... OK" in capsys.readouterr().out


async def test_a_build_that_fails_ends_with_its_log_and_why(api, folder, capsys):
    api.builds.jobs.looks = [FAILED]
    assert await run("build") == 1

    out, err = capsys.readouterr()
    assert LOG[0] in out
    assert "Release:" not in out
    assert re.search(r"ERROR: build B[A-Z]{10} failed: it ended with exit code 1\n", err)
    assert await api.store.read.releases("myapp", 9) == []


async def test_with_id_the_log_goes_where_no_script_reads(api, folder, capsys):
    assert await run("build", "--id") == 0

    out, err = capsys.readouterr()
    (release,) = await api.store.read.releases("myapp", 9)
    assert out == release.id
    assert LOG[1] in err


async def test_deploy_builds_and_promotes(api, folder, capsys):
    assert await run("deploy") == 0

    out = capsys.readouterr().out.splitlines()
    (release,) = await api.store.read.releases("myapp", 9)
    assert out[2:6] == ["Starting build... OK", *LOG, f"Promoting {release.id}..."]
    assert out[-1] == "OK"


async def test_who_may_not_promote_builds_nothing_by_deploy(api, folder, capsys):
    api.world.policy = parse_policy(policy_of("view, build"))

    assert await run("deploy") == 1
    assert "ERROR: you may not promote myapp" in capsys.readouterr().err
    assert api.builds.jobs.started == []


async def test_a_rack_that_builds_nothing_says_so_before_anything_is_uploaded(api, folder, capsys):
    api.builds.jobs.missing = "this rack has no registry"

    assert await run("build") == 1
    out, err = capsys.readouterr()
    assert out == "Packaging source... OK\nUploading source... \n"
    assert err.startswith("ERROR: this rack has no registry\n")
    assert "--image SERVICE=IMAGE" in err


async def test_a_log_goes_on_after_a_lost_connection_from_the_line_that_came_last(api, folder, monkeypatch):
    api.builds.hold()
    assert (await api.post("/apps/myapp/builds", json=await started(api))).status == 202
    (build,) = await api.store.read.open_builds()
    await api.builds.end(build.id)
    real, asked = RackClient._ask, []

    def ask(self, connection, method, path, *rest, **more):
        asked.append(path)
        if len(asked) < 3:
            raise ConnectionResetError
        return real(self, connection, method, path, *rest, **more)

    monkeypatch.setattr(RackClient, "_ask", ask)
    notices: list[str] = []
    pauses: list[float] = []
    followed = BuildLogReader(
        RackClient(RackUrl.read(api.url)), "myapp", build.id, notices.append, pauses.append
    )
    lines = await asyncio.to_thread(lambda: list(followed.lines()))

    assert lines == LOG
    assert notices[0].endswith("was lost (ConnectionResetError); trying again")
    assert (notices[1:], len(pauses)) == (["the bot answers again; this goes on where it was"], 2)
    assert followed.release == (await api.store.read.releases("myapp", 1))[0].id


async def test_a_long_log_is_followed_over_a_loss_though_its_first_lines_are_dropped(api, monkeypatch):
    monkeypatch.setattr(writes, "MOST_LINES", 3)
    api.builds.hold()
    await api.post("/apps/myapp/builds", json=await started(api))
    (build,) = await api.store.read.open_builds()

    async def write(*numbers):
        async with api.store.transaction() as tx:
            for number in numbers:
                await tx.add_build_lines(build.id, [f"line {number}"])

    await write(1, 2, 3, 4, 5)
    loop, real = asyncio.get_running_loop(), RackClient.stream

    def cut(self, path):
        monkeypatch.setattr(RackClient, "stream", real)
        rows = real(self, path)
        yield next(rows)
        yield next(rows)
        raise ConnectionLost("it was cut")

    async def on():
        await write(*range(6, 10))
        api.builds.jobs.lines = []
        await api.builds.end(build.id)

    monkeypatch.setattr(RackClient, "stream", cut)
    notices: list[str] = []
    followed = BuildLogReader(
        RackClient(RackUrl.read(api.url)),
        "myapp",
        build.id,
        notices.append,
        lambda _: asyncio.run_coroutine_threadsafe(on(), loop).result(),
    )
    lines = await asyncio.to_thread(lambda: list(followed.lines()))

    assert lines == ["line 3", "line 4", "line 7", "line 8", "line 9"]
    assert notices == [
        "lines 1 to 2 of the log are not kept any more",
        "it was cut; trying again",
        "the bot answers again; this goes on where it was",
        "lines 5 to 6 of the log are not kept any more",
    ]


async def started(api):
    source = await api.sources._sources.create("myapp", "sha256:" + "0" * 64, 1)
    await api.sources._sources.append(source.id, 0, b"x")
    whole = api.sources._sources._folder(source.id)
    (whole / "part").rename(whole / "source.tar.gz")
    return {"manifest": MANIFEST, "source": source.id}


async def test_a_bot_that_stays_away_is_given_up_with_the_way_to_look(api):
    followed = BuildLogReader(
        RackClient(RackUrl.read("http://convox:x@127.0.0.1:1")),
        "myapp",
        "BABCDEFGHIJ",
        lambda _: None,
        lambda _: None,
    )
    with pytest.raises(
        CliError, match="the build cannot be followed any more: 127.0.0.1:1 cannot be"
    ) as told:
        list(followed.lines())
    assert told.value.hint.endswith("`convox-bot do builds info BABCDEFGHIJ -a myapp`")


def test_a_terminal_sees_how_far_it_is_and_a_pipe_whole_lines():
    with Steps(glass := Glass(80)).step("Uploading source") as step:
        assert glass.lines == ["Uploading source... (0:00)"]
        step.advance(1_000_000, 2_000_000)
        assert glass.lines == ["Uploading source... [##########----------] 50% of 2.0 MB"]
        say("what is to be known meanwhile", glass)
        assert glass.lines == [
            "what is to be known meanwhile",
            "Uploading source... [##########----------] 50% of 2.0 MB",
        ]
    assert glass.lines == ["what is to be known meanwhile", "Uploading source... OK"]

    with Steps(pipe := io.StringIO()).step("Uploading source") as step:
        step.advance(1_000_000, 2_000_000)
    assert pipe.getvalue() == "Uploading source... OK\n"


def test_what_goes_wrong_has_a_line_of_its_own():
    out = io.StringIO()
    with pytest.raises(CliError), Steps(out).step("Packaging source"):
        raise CliError("no")

    assert out.getvalue() == "Packaging source... \n"
    with pytest.raises(CliError), Steps(glass := Glass()).step("Packaging source"):
        raise CliError("no")
    assert glass.lines == ["Packaging source..."]


GIT = "https://git.example/shop/web"


async def test_a_repository_is_built_without_anything_of_this_machine(api, folder, capsys):
    words = ("--git", GIT, "--ref", "main", "-m", "a/b.yml", "-d", "mine", "--no-cache")
    assert await run("build", *words) == 1
    (spec,) = api.builds.jobs.started
    assert (spec.git.url, spec.git.ref, spec.git.manifest_path, spec.no_cache) == (
        GIT,
        "main",
        "a/b.yml",
        True,
    )
    out = capsys.readouterr()
    assert out.out.splitlines() == ["Starting build... OK", *LOG, f"ERROR: {WHAT}"]
    assert f"failed: {WHAT}" in out.err


WHAT = "what was pushed is not known: the cluster tells 1 digests of 0 images"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--git", "", "--ref", "main"], "--git is empty"),
        (["--ref", "main"], "--ref is a branch, a tag or a commit of --git"),
        (
            ["--git", GIT, "--git-sha", "abc", "--external"],
            "--git-sha, --external: of --git the cluster builds",
        ),
        (["--git", GIT, "sub", "--repository", GIT], "DIR, --repository: of --git the cluster builds"),
    ],
)
async def test_what_is_of_a_folder_is_refused_of_a_repository(folder, capsys, words, says: str):
    assert await run("build", *words) == 2
    assert says in capsys.readouterr().err


def test_a_terminal_that_cannot_rewrite_a_line_gets_whole_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with Steps(dumb := Glass()).step("Uploading source") as step:
        step.advance(1, 2)
    assert dumb.getvalue() == "Uploading source... OK\n"


async def test_who_looks_on_sees_that_a_build_waits(api, folder):
    api.builds.hold()
    with Window("build", "-a", "myapp") as window:
        await asyncio.to_thread(window.until, lambda lines: re.match("B[A-Z]{10} is queued", lines[-1]))
        (run,) = await api.store.read.open_builds()
        await api.builds.end(run.id)
        assert await asyncio.to_thread(window.end) == 0
    assert window.lines == [
        "Packaging source... OK",
        "Uploading source... OK",
        "Starting build... OK",
        *LOG,
        f"Build: {run.id}",
        f"Release: {(await api.store.read.build_run(run.id)).release}",
    ]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (
            "bot.cli.uploads.Upload.run",
            "nothing was built; the same command goes on with the upload where it was",
        ),
        (
            "bot.cli.client.RackClient.register",
            "it may have been started all the same: `convox-bot do builds -a myapp` shows it",
        ),
        (
            "bot.cli.client.RackClient.stream",
            GOES_ON,
        ),
    ],
)
async def test_ctrl_c_says_what_goes_on_and_how_it_is_stopped(api, folder, capsys, monkeypatch, where, told):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupted)
    assert await run("build") == 130

    assert re.fullmatch(rf"Note: {told}\n", capsys.readouterr().err)


async def test_ctrl_c_while_this_machine_builds_says_that_nothing_was_registered(
    api, folder, capsys, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.cli.builds.build_here", interrupted)
    assert await run("build", "--external", "--registry", "registry.example/shop") == 130

    said = capsys.readouterr().err
    assert said == "Note: nothing was registered; what was pushed so far stays in the registry\n"
    assert await api.store.read.builds("myapp", 9) == []
