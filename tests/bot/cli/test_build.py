"""`convox-bot build`: what CI sends, and what it reads back."""

import asyncio
import os
import subprocess

import pytest

from bot.cli.main import main
from core.policy.authorization import parse_policy
from tests.bot.api.asking import IMAGES, MANIFEST, policy_of
from tests.bot.api.serving import serving

GIVEN = [f"--image={name}={ref}" for name, ref in IMAGES.items()]


@pytest.fixture
async def api(tmp_path, monkeypatch):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        yield made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A checkout with a manifest, in which CI stands."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "convox.yml").write_text(MANIFEST)
    monkeypatch.chdir(folder)
    # Whoever runs this from a hook of git, or signs their commits, must not find these in their own repository.
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return folder


def git(*words):
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def commit(folder):
    git("init")
    git("add", ".")
    git("commit", "-m", "Fix the naïve “thing”\n\nA body.")
    return git("rev-parse", "HEAD")


async def built(*words):
    return await asyncio.to_thread(main, ["build", "-a", "myapp", *words])


async def newest(api):
    (entry,) = await api.store.read.builds("myapp", 1)
    return await api.store.read.build("myapp", entry.id)


async def test_it_prints_the_build_and_its_release(api, folder, capsys):
    assert await built(*GIVEN) == 0

    made = await newest(api)
    out, err = capsys.readouterr()
    assert out == f"Build: {made.id}\nRelease: {made.release}\n"
    assert err == "Note: nobody outside of the cluster reaches web: this rack has no router\n"
    assert (made.manifest, made.images) == (MANIFEST, IMAGES)


async def test_a_clean_checkout_describes_itself(api, commit):
    await built(*GIVEN)

    made = await newest(api)
    assert made.description == f"build {commit[:10]} Fix the naïve “thing”"
    assert made.git_sha == commit


async def test_staged_and_untracked_changes_do_not_count_as_convox_has_it(api, folder, commit):
    (folder / "new").write_text("x")
    git("add", "new")
    (folder / "other").write_text("x")

    await built(*GIVEN)

    assert (await newest(api)).description.startswith(f"build {commit[:10]} ")


async def test_unstaged_changes_are_not_described_by_a_commit(api, folder, commit):
    (folder / "convox.yml").write_text(MANIFEST + "# changed\n")

    await built(*GIVEN)

    made = await newest(api)
    assert made.description == "build 2026-01-01 12:00"
    assert made.git_sha == commit
    assert made.committed_at is not None


async def test_without_a_repository_it_is_called_by_its_time(api, folder):
    await built(*GIVEN)

    made = await newest(api)
    assert (made.description, made.git_sha) == ("build 2026-01-01 12:00", "")


async def test_what_is_given_wins_over_git(api, commit):
    await built(*GIVEN, "-d", "by hand", "--git-sha", "0123abc")

    made = await newest(api)
    assert (made.description, made.git_sha) == ("by hand", "0123abc")


async def test_a_given_sha_is_described_by_its_own_commit(api, folder, commit):
    (folder / "convox.yml").write_text(MANIFEST + "# next\n")
    git("commit", "-am", "Next")

    await built(*GIVEN, "--git-sha", commit)

    assert (await newest(api)).description == f"build {commit[:10]} Fix the naïve “thing”"


async def test_it_says_where_its_repository_was_cloned_from_without_credentials(api, commit):
    git("remote", "add", "origin", "https://ci:s3cret@github.com/shop/web.git")
    await built(*GIVEN)
    assert (await newest(api)).repository == "https://github.com/shop/web"

    await built(*GIVEN, "--repository", "git@gitlab.com:shop/web.git")
    assert (await newest(api)).repository == "https://gitlab.com/shop/web"

    git("remote", "set-url", "origin", "/srv/git/web.git")
    await built(*GIVEN)
    assert (await newest(api)).repository == ""


async def test_a_sha_is_never_an_option_of_git(api, commit):
    assert await built(*GIVEN, "--git-sha=--output=pwned") == 0

    assert (await newest(api)).git_sha == "--output=pwned"


async def test_the_manifest_may_be_elsewhere(api, folder, capsys):
    (folder / "other.yml").write_text("services:\n  job:\n    image: a/b:1\n")

    assert await built("-m", "other.yml") == 0
    assert dict((await newest(api)).images) == {"job": "a/b:1"}


async def test_a_refusal_is_a_sentence_on_stderr_and_status_1(api, folder, capsys):
    assert await built(*GIVEN, "--image=wep=a/b:1") == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ERROR: ")
    assert "wep" in err


async def test_a_manifest_that_cannot_be_read_is_a_sentence(api, folder, capsys):
    (folder / "latin1.yml").write_bytes(b"\xff")

    assert await built("-m", "nope.yml") == 1
    assert "nope.yml cannot be read: No such file" in capsys.readouterr().err
    assert await built("-m", "latin1.yml") == 1
    assert "latin1.yml is not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["build"],
        ["build", "-a", "myapp", "--image", "web"],
        ["build", "-a", "myapp", "--image", "=ref"],
        ["build", "-a", "myapp", "folder", "surplus"],
        ["deploy"],
        ["deploy", "-a", "myapp", "--id"],
    ],
)
def test_wrong_usage_ends_with_2(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "usage: convox-bot" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["build", "deploy"])
def test_an_image_for_one_service_is_given_once(capsys, command):
    assert main([command, "-a", "myapp", "--image", "web=a", "--image", "web=b"]) == 2
    assert "names a service twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "image", ["registry.example.com/web@sha256:…", "https://registry.example.com/web", "a b"]
)
def test_an_image_that_is_none_is_refused_before_anything_is_packed_or_sent(monkeypatch, capsys, image):
    monkeypatch.setenv("RACK_URL", "http://convox:t@127.0.0.1:1")
    assert main(["build", "-a", "myapp", "--image", f"web={image}"]) == 2
    out, err = capsys.readouterr()
    assert "image of web is no image reference (" in err
    assert "Packaging" not in out + err


async def test_the_folder_of_the_app_may_be_another_than_where_one_stands(api, folder, commit, monkeypatch):
    (folder / "deploy").mkdir()
    (folder / "deploy" / "small.yml").write_text("services:\n  job:\n    image: a/b:1\n")
    monkeypatch.chdir("/")

    assert await built(str(folder), *GIVEN) == 0
    assert ((await newest(api)).manifest, (await newest(api)).git_sha) == (MANIFEST, commit)
    assert await built(str(folder), "-m", "deploy/small.yml") == 0
    assert dict((await newest(api)).images) == {"job": "a/b:1"}


async def test_with_id_a_script_gets_the_release_and_nothing_else(api, folder, capsys):
    assert await built(*GIVEN, "--id") == 0

    made = await newest(api)
    out, err = capsys.readouterr()
    assert out == made.release
    assert err.endswith(f"Build: {made.id}\nRelease: {made.release}\n")


async def deployed(*words):
    return await asyncio.to_thread(main, ["deploy", "-a", "myapp", *GIVEN, *words])


async def test_deploy_promotes_the_release_of_its_build_and_prints_neither_id_as_convox(api, folder, capsys):
    assert await deployed() == 0

    made = await newest(api)
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"Promoting {made.release}..."
    assert out[-1] == "OK"
    assert not [row for row in out if row.startswith(("Build:", "Release:"))]
    assert (await api.store.read.app("myapp")).active_release == made.release


async def test_deploy_that_does_not_wait_says_how_to_follow(api, folder, capsys):
    assert await deployed("--no-wait", "--force") == 0

    assert "convox-bot do follow P" in capsys.readouterr().out
    await api.world.idle()


async def test_who_may_not_promote_deploys_nothing_and_makes_no_build(api, folder, capsys):
    api.world.policy = parse_policy(policy_of("view, build"))

    assert await deployed() == 1
    assert "ERROR: you may not promote myapp" in capsys.readouterr().err
    assert await api.store.read.builds("myapp", 1) == []


async def test_a_deploy_without_a_build_ends_with_its_sentence(api, folder, capsys):
    assert await deployed("--image=wep=a/b:1") == 1

    assert "wep" in capsys.readouterr().err
