"""What doctor tells one to type can be typed: by our own parsers where it is ours, by its shape where it is not."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.admin.doctor.bounded import AGAIN, OUR_FAULT
from bot.admin.doctor.check import READ_AGAIN
from bot.admin.doctor.judgements.cluster import builds_command
from bot.cli.main import _parser
from bot.command.parser import parse
from core.errors import Invalid
from tests.bot.admin.doctor.test_judgements import CASES
from tests.docs.pages import ROOT, headings, page, slug

WRONG = [check for check, *_ in CASES if not check.ok]
SETTING = re.compile(r"[A-Z_]+=\S+")
# What an operator types that is not ours: the word it begins with, and what stands behind it.
SHAPES = {
    "kubectl": re.compile(
        r"(--kubeconfig=\$KUBECONFIG )?(apply -f (-|deploy/[a-z-]+\.yaml)|create rolebinding [a-z-]+ -n \S+ --clusterrole=[a-z-]+ --user=\S+|get --raw /[a-z./-]+|get [a-z]+ \S+( -n \S+)?)"
    ),
    "helm": re.compile(
        r"upgrade convox-bot deploy/chart -n convox-system --reuse-values --set [a-z]+\.[a-z]+=\S+"
    ),
    "curl": re.compile(r"-v https?://\S+"),
    "docker": re.compile(r"login \S+"),
    "sed": re.compile(r"'.+' deploy/builds\.yaml"),
    "mkdir": re.compile(r"-p /\S+"),
    "du": re.compile(r"-xahd 1 /\S+"),
    "pkill": re.compile(r"-HUP -fx '.+'"),
    "timedatectl": re.compile(r"set-ntp true"),
    "/invite": re.compile(r"@[a-z]+"),
}
FILES = re.compile(r"deploy/[\w./-]+\w")
PAGES = re.compile(r"docs/(\w+\.md)#([\w-]+)")


def commands_of(remedy: str) -> list[str]:
    """Return what stands in backticks, or the whole of it where nothing does and it begins as a command."""
    quoted = re.findall(r"`([^`]+)`", remedy)
    first = remedy.split(maxsplit=1)[0]
    return quoted or ([remedy] if first in {*SHAPES, "convox-bot"} or SETTING.fullmatch(first) else [])


def check_typed(command: str) -> None:
    """Fail where a command cannot be typed as it stands."""
    for part in re.split(r" \| ", command):
        words = part.split(" ")
        while SETTING.fullmatch(words[0]):
            words.pop(0)
        rest = " ".join(words[1:])
        match words[0]:
            case "convox-bot":
                _parser().parse_args(shlex.split(rest))
            case "/convox":
                parse(rest)
            case program:
                assert program in SHAPES, f"nobody knows how {part!r} is typed"
                assert SHAPES[program].fullmatch(rest), f"{part!r} is not as {program} takes it"


@pytest.mark.parametrize("remedy", sorted({check.remedy for check in WRONG} | {AGAIN, OUR_FAULT}))
def test_each_remedy_can_be_typed_and_names_what_is_there(remedy: str):
    for command in commands_of(remedy):
        check_typed(command)
    for file in FILES.findall(remedy):
        assert (ROOT / file).exists(), f"there is no {file}"
    for name, anchor in PAGES.findall(remedy):
        assert anchor in map(slug, headings(page(name))), f"{name} has no #{anchor}"
    for setting in re.findall(r"\b(?:CONVOX|SLACK)_[A-Z_]+\b", remedy):
        assert setting in page("settings.md")


def test_almost_each_remedy_has_a_command_or_a_page():
    neither = {c.name for c in WRONG if not commands_of(c.remedy) and not PAGES.search(c.remedy)}
    assert neither == {"certificate"}, "a file that the operator has to get from elsewhere"


@pytest.mark.parametrize(
    "wrong",
    [
        "convox-bot adopt",
        "/convox webhooks list",
        "kubectl get ingressclass,gateway -A",
        "du -xh --max-depth=1 /data",
        "rm -rf /",
    ],
)
def test_what_cannot_be_typed_is_noticed(wrong: str):
    with pytest.raises((AssertionError, SystemExit, Invalid)):
        check_typed(wrong)


def test_the_namespace_of_builds_of_another_rack_is_what_the_command_makes(tmp_path: Path):
    command = builds_command("convox-builds", "prod-builds").partition(" | ")[0]
    words = shlex.split(command)
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ours = list(yaml.safe_load_all((ROOT / "deploy" / "builds.yaml").read_text(encoding="utf-8")))
    theirs = list(yaml.safe_load_all(said))
    assert len(ours) == len(theirs)
    for before, after in zip(ours, theirs, strict=True):
        expected = "prod-builds" if before["kind"] == "Namespace" else before["metadata"]["name"]
        assert after["metadata"]["name"] == expected, "the ServiceAccount keeps its name"
        assert after["metadata"].get("namespace", "prod-builds") == "prod-builds"
    assert theirs[-1]["subjects"] == ours[-1]["subjects"]


@pytest.mark.parametrize(
    ("line", "hit"),
    [
        ("/opt/convox-bot/bin/python3 /opt/convox-bot/bin/convox-bot serve", True),
        ("/usr/bin/python3.12 .venv/bin/convox-bot serve", True),
        ("bash -c convox-bot serve", False),
        ("bash -c exec convox-bot serve 2>log", False),
        ("tail -f convox-bot serve.log", False),
        ("/usr/bin/python3 /usr/bin/convox-bot server", False),
    ],
)
def test_what_has_the_policy_read_again_reaches_the_bot_and_no_shell_around_it(line: str, hit: bool):
    # The operand of pkill -fx is an extended regular expression for the whole command line; this one is the same in Python.
    pattern = shlex.split(re.findall(r"`([^`]+)`", READ_AGAIN)[0])[-1]
    assert bool(re.fullmatch(pattern, line)) == hit
