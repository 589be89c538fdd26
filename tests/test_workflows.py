"""Workflows, the composite action and the examples for CIs: judged by the linters and schemas of their fields, their commands by our parser."""

import os
import re
import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli.build_commands import build_problem
from bot.cli.main import _parser
from bot.command.commands.releases import Promote
from bot.command.parser import parse
from tests.tools.programs import needed

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
CI = ROOT / "examples/ci"
GITHUB = CI / "github.yml"
OTHERS = sorted(set(CI.glob("*.yml")) - {GITHUB})
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
(VERSION,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
# The schema that check-jsonschema carries → what it holds for.
SCHEMAS = {
    "github-workflows": [*WORKFLOWS, GITHUB],
    "github-actions": [ROOT / "action.yml"],
    "github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
    "github-issue-forms": [ROOT / ".github/ISSUE_TEMPLATE" / name for name in ("bug.yml", "wish.yml")],
    "dependabot": [ROOT / ".github/dependabot.yml"],
    "gitlab-ci": [CI / "gitlab.yml"],
    "buildkite": [CI / "buildkite.yml"],
    "circle-ci": [CI / "circleci.yml"],
}


def run(*words: str | Path) -> str:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_actionlint_finds_nothing():
    assert WORKFLOWS
    assert not run(needed("actionlint"), *WORKFLOWS, GITHUB)


def test_zizmor_finds_nothing_with_its_strictest_eyes():
    words = ("--offline", "--quiet", "--no-config", "--persona", "pedantic")
    assert not run(SCRIPTS / "zizmor", *words, ".github", "action.yml", GITHUB)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_file_is_what_its_field_calls_valid(schema: str):
    # `!reference` of GitLab is no YAML of everybody's.
    more = ("--data-transform", schema) if schema == "gitlab-ci" else ()
    words = ("--builtin-schema", f"vendor.{schema}", *more)
    assert not run(SCRIPTS / "check-jsonschema", *words, *SCHEMAS[schema])


def test_no_example_is_left_out():
    assert {path.name for path in [GITHUB, *OTHERS]} == {
        "github.yml",
        "gitlab.yml",
        "buildkite.yml",
        "circleci.yml",
        "kubernetes.yml",
    }
    # A real API server validates this one: tests/serve/test_serve_cluster_jobs.py.
    assert {*WORKFLOWS, GITHUB, *OTHERS} - {CI / "kubernetes.yml"} <= {
        path for paths in SCHEMAS.values() for path in paths
    }


def texts(node: Any) -> list[str]:
    """Return every text of a document."""
    if isinstance(node, dict):
        return [text for value in node.values() for text in texts(value)]
    if isinstance(node, list):
        return [text for value in node for text in texts(value)]
    return [node] if isinstance(node, str) else []


def commands(path: Path) -> list[list[str]]:
    """Return the words behind each `convox-bot` of a file's scripts."""
    documents = list(yaml.safe_load_all(path.read_text()))
    script = "\n".join(texts(documents)).replace("\\\n", " ").replace("$$", "$")
    found = re.findall(
        r"^(?:[A-Z]+=\"\$\()?(?:uvx )?convox-bot(?:@[\d.]+)? (.*?)(?:\)\")?$", script, re.MULTILINE
    )
    return [shlex.split(line) for line in found]


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_the_commands_of_an_example_are_ours_register_by_digest_and_promote(path: Path):
    build, promote = commands(path)

    options = _parser().parse_args(build)
    assert (build_problem(options), options.id, options.app) == ("", True, "myapp")
    assert options.image == [("web", "$IMAGE"), ("worker", "$IMAGE")]
    # What runs in the cluster is handed the digest, by whatever has built there.
    assert "{{index .RepoDigests 0}}" in path.read_text() or path.name == "kubernetes.yml"

    assert promote[:1] == ["do"]
    asked = parse(shlex.join(promote[1:]).replace("'$RELEASE'", "RABCDEFGHIJ"))
    assert isinstance(asked, Promote)
    assert (asked.release, asked.app) == ("RABCDEFGHIJ", "myapp")


@pytest.mark.parametrize("path", [GITHUB, *OTHERS], ids=lambda path: path.name)
def test_an_example_names_the_version_that_this_is(path: Path):
    text = path.read_text()
    named = re.findall(r"(?:convox-bot(?:==|@)|release v)(\d[\d.]+\d)", text)

    assert set(named) == {VERSION}


def test_the_example_for_github_gives_the_action_what_it_takes():
    (uses,) = [
        step
        for step in yaml.safe_load(GITHUB.read_text())["jobs"]["deploy"]["steps"]
        if step["uses"] == "./.convox-bot"
    ]
    required = {name for name, about in ACTION["inputs"].items() if about.get("required")}

    assert required <= uses["with"].keys() <= ACTION["inputs"].keys()
    assert all("@${{ steps.web.outputs.digest }}" in line for line in uses["with"]["images"].splitlines())


@pytest.mark.parametrize("path", [GITHUB, *OTHERS], ids=lambda path: path.name)
def test_an_example_stores_no_token_and_says_where_a_stored_one_would_go(path: Path):
    text = path.read_text()
    assert "RACK_URL" in text
    assert "https://convox:TOKEN@HOST" in text
    assert "rule under oidc: of the bot's policy" in " ".join(text.replace("#", "").split())
    assert "CONVOX_OIDC_TOKEN" in text or "id-token: write" in text


def test_the_action_hands_on_for_whom_a_token_is_and_whose_it_is():
    told = [each["env"] for each in ACTION["runs"]["steps"] if "RACK_URL" in each["env"]]
    assert len(told) == 2
    assert all(env["CONVOX_OIDC_AUDIENCE"] == "${{ inputs.audience }}" for env in told)


def test_no_file_names_an_owner_that_is_nobody():
    """What a reader has to say is a variable (docs/ci.md, REPOSITORY_URL), not a name to be replaced."""
    named = subprocess.run(
        ["git", "grep", "-nE", "github.com/OWNER|OWNER/convox-bot|@0{40}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = [line for line in named.splitlines() if not line.startswith("tests/test_workflows.py")]
    assert found == []
    documented = (ROOT / "docs/ci.md").read_text()
    for name in set(re.findall(r"vars\.(\w+)", GITHUB.read_text())):
        assert f"`{name}`" in documented, name


def step(name: str, folder: Path, given: dict[str, str], *, status: int = 0) -> tuple[int, list[list[str]]]:
    """Run a step of the action with a program in place of ours, and return its status and what that was called with."""
    (script,) = [each["run"] for each in ACTION["runs"]["steps"] if each["name"] == name]
    program = folder / "convox-bot/bin/convox-bot"
    program.parent.mkdir(parents=True, exist_ok=True)
    called = folder / "called"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" -- >> "{called}"\necho RABCDEFGHIJ\nexit {status}\n')
    program.chmod(0o755)
    variables = {
        "PATH": os.environ["PATH"],
        "RUNNER_TEMP": str(folder),
        "GITHUB_OUTPUT": str(folder / "output"),
    }
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], env=variables | given, check=False)
    calls = called.read_text().split("--\n")[:-1] if called.exists() else []
    return done.returncode, [call.splitlines() for call in calls]


def test_the_action_registers_what_it_is_given(tmp_path: Path):
    images = "web=ghcr.io/acme/web@sha256:1\n\nworker=ghcr.io/acme/worker@sha256:2\n"
    given = {"APP": "myapp", "IMAGES": images, "FOLDER": "app", "MANIFEST": "convox.yml"}
    status, (words,) = step("Register", tmp_path, given)

    assert status == 0
    options = _parser().parse_args(words)
    assert (options.app, str(options.folder), options.id) == ("myapp", "app", True)
    assert dict(options.image) == {
        "web": "ghcr.io/acme/web@sha256:1",
        "worker": "ghcr.io/acme/worker@sha256:2",
    }
    assert (tmp_path / "output").read_text() == "release=RABCDEFGHIJ\n"


def test_a_build_that_is_refused_fails_the_action(tmp_path: Path):
    given = {"APP": "myapp", "IMAGES": "web=w", "FOLDER": ".", "MANIFEST": "convox.yml"}
    status, _ = step("Register", tmp_path, given, status=1)

    assert status == 1
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("wait", "status", "ends"), [("true", 0, 0), ("true", 1, 1), ("false", 3, 0), ("false", 1, 1)]
)
def test_the_action_ends_as_the_promotion_and_an_approval_that_nobody_waits_for_is_no_failure(
    wait: str, status: int, ends: int, tmp_path: Path
):
    given = {"APP": "myapp", "RELEASE": "RABCDEFGHIJ", "WAIT": wait}
    ended, (words,) = step("Promote", tmp_path, given, status=status)

    assert ended == ends
    kept = [word for word in words[1:] if word != "--no-wait"]
    assert ("--no-wait" in words) == (wait == "false")
    assert isinstance(parse(shlex.join(kept)), Promote)


def test_the_release_builds_with_the_locks_and_the_tools_that_the_documents_name():
    release = (ROOT / ".github/workflows/release.yml").read_text()
    (documented,) = re.findall(r"cyclonedx-bom==([\d.]+)", (ROOT / "docs/security.md").read_text())

    assert f"cyclonedx-bom=={documented}" in release
    assert "--require-hashes -r requirements-build.lock" in release
