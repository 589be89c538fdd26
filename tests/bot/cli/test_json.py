"""`-o json`: whatever can be typed prints documents and nothing else, what is wrong included, and ends as without it."""

import argparse
import asyncio
import io
import json
import sys

import pytest

from bot.admin.commands import new_key
from bot.cli.main import WITHOUT_JSON, _parser, main
from bot.clock import SystemClock
from bot.command.grammar import NAMES
from storage.keys import Keyring
from storage.store import open_store
from tests.bot.api.asking import BUILD, IMAGES, MANIFEST
from tests.bot.api.serving import serving

# Every command, as a token may type it; {r} a release that runs, {new} one that does not, {b} its build, {image} an image, {p} a promotion that has ended.
# What is behind `<` is asked for; what is behind `!` ends with that status.
LINES = """\
releases promote {new}
build < web={image} worker={image}
builds import-image {image} -s web
deploy < web={image} worker={image}
releases rollback {r}
releases create-from --use-active-release-build --use-active-release-env
approve {p} ! 1
remind {p} ! 1
decline {p} no ! 1
cancel {p} ! 1
stop {p} ! 1
snooze {p} ! 1
apps cancel myapp ! 1
waiting
freeze myapp until 18:00 sale
unfreeze myapp
why
whoami
releases
releases history
stats
releases info {r}
releases diff {r} {new}
releases manifest {r}
check {r}
builds
builds info {b}
builds logs {b}
builds cancel {b} ! 1
builds retry {b} ! 1
services
ps
scale
restart
timers
resources
logs
env
env get LOG
env set A=1
env unset A
env edit < LOG=debug
git
git add github.com < t0ken
git remove github.com
registries
registries add registry.example bob < pa55
registries rm registry.example
apps
apps create other
apps info myapp
apps params myapp
apps lock myapp
apps unlock myapp
apps delete other --yes other
link myapp ! 1
unlink ! 1
help
"""


@pytest.fixture
async def api(tmp_path, monkeypatch):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        yield made


class Piped:
    def __init__(self, text):
        self.buffer = io.BytesIO(text.encode())

    def isatty(self):
        return False


def documents(text):
    return [json.loads(line) for line in text.splitlines()]


async def typed(capsys, *words):
    """Return the status, and the documents of either stream: anything else there fails."""
    status = await asyncio.to_thread(main, list(words))
    out, err = capsys.readouterr()
    return status, documents(out), documents(err)


def read(line):
    """Return the words, what is asked for, and the status of a line of the table."""
    rest, _, status = line.partition(" ! ")
    words, _, asked = rest.partition(" < ")
    return words.split(), asked.replace(" ", "\n"), int(status or 0)


@pytest.fixture
async def ids(api):
    await api.command("env set LOG=info -a myapp")
    running = await api.world.good()
    ended = (await api.store.read.promotions("myapp", 1))[0].id
    made = await (await api.post("/apps/myapp/builds", json=BUILD)).json()
    return {"r": running, "p": ended, "new": made["release"], "b": made["id"], "image": IMAGES["web"]}


def test_the_table_names_every_command_of_the_grammar():
    typed = [" ".join(read(line)[0]) for line in LINES.splitlines()]
    longest = [max((name for name in NAMES if f"{line} ".startswith(f"{name} ")), key=len) for line in typed]
    assert sorted(longest) == sorted(NAMES)


async def test_every_command_prints_documents(api, ids, capsys, monkeypatch):
    for line in LINES.format(**ids).splitlines():
        words, asked, status = read(line)
        monkeypatch.setattr(sys, "stdin", Piped(asked))
        app = [] if words[0] in {"waiting", "whoami", "help"} or words[:1] == ["apps"] else ["-a", "myapp"]

        ended, out, err = await typed(capsys, "do", *words, *app, "-o", "json")

        assert ended == status, (line, err)
        if status:
            assert out == [], line
            assert err[-1]["error"], line
        else:
            assert out, line
            assert all(set(each) == {"note"} for each in err), (line, err)
        await api.world.idle()


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_refused_is_a_document_with_the_same_status(api, capsys, name):
    words = ["do", *name.split(), "--nonsense"]
    status, out, (error,) = await typed(capsys, *words, "-o", "json")

    assert await asyncio.to_thread(main, words) == status == 1
    sentence, *hint = capsys.readouterr().err.splitlines()
    assert out == []
    assert sentence == f"ERROR: {error['error']}"
    assert "\n".join(hint) == error.get("hint", "")


async def test_what_was_done_before_a_refusal_is_in_its_document(api, capsys):
    await api.world.ask((await api.world.build()).release.id)
    status, out, err = await typed(
        capsys, "do", "env", "set", "A=1", "--promote", "-a", "myapp", "-o", "json"
    )
    assert (status, out) == (1, [])
    assert err[-1]["text"].startswith("Setting A... OK\nRelease: R")


async def test_an_id_is_in_the_document(api, capsys):
    status, (made,), _ = await typed(capsys, "do", "env", "set", "A=1", "--id", "-a", "myapp", "-o", "json")
    assert status == 0
    assert made["id"] == made["release"]


async def test_facts_that_had_no_document_have_one(api, ids, capsys, monkeypatch):
    async def told(*words):
        status, (document,), _ = await typed(capsys, "do", *words, "-a", "myapp", "-o", "json")
        assert status == 0
        return document

    monkeypatch.setattr(sys, "stdin", Piped("pa55"))
    await told("registries", "add", "registry.example", "bob")
    (login,) = await told("registries")
    assert (login["server"], login["username"]) == ("registry.example", "bob")
    assert "pa55" not in json.dumps(login)
    assert await told("git") == []
    assert (await told("apps", "params"))["approvals.promote.count"] == "0"
    assert (await told("releases", "manifest", ids["new"]))["manifest"].startswith("services:")
    assert (await told("builds", "logs", ids["b"]))["lines"][1].startswith("web: ")
    assert {"command", "usage", "does", "flags"} == set((await told("help"))[0])
    assert [each["command"] for each in await told("help", "unlink")] == ["unlink"]


async def test_who_is_interrupted_is_told_in_a_document(api, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    await api.world.build()
    monkeypatch.setattr("bot.cli.client.RackClient.follow", interrupted)
    status, _, (note,) = await typed(capsys, "do", "releases", "promote", "-a", "myapp", "-o", "json")
    assert status == 130
    assert "goes on without this terminal" in note["note"]
    await api.world.idle()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a database, a key and a convox.yml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONVOX_DATABASE", str(tmp_path / "other.db"))
    (tmp_path / "convox.yml").write_text(MANIFEST)
    (tmp_path / "bad.yml").write_text("services: {web: {nonsense: 1}}")


# Every command of the program: the one that is refused as `convox-bot NAME -o json`, with what makes it end, and its status.
PROGRAM = [
    ("keygen", 0),
    ("token create ci", 0),
    ("token list", 0),
    ("token revoke ci", 0),
    ("token revoke ci", 1),
    ("token nonsense", 2),
    ("check", 0),
    ("check bad.yml", 1),
    ("check nowhere.yml", 1),
    ("doctor", 1),
    ("audit verify", 0),
    ("audit export", 0),
    ("audit export --csv", 2),
    ("backup copy.db", 0),
    ("backup copy.db", 2),
    ("rekey", 2),
    ("webhooks add https://hooks.example.com/x", 2),
    ("webhooks list", 2),
    ("webhooks remove x", 2),
    ("webhooks test x", 2),
    ("adopt myapp", 2),
    ("build -a myapp", 1),
    ("deploy -a myapp", 1),
    ("do", 2),
    ("slack-manifest --org", 0),
    ("slack-manifest --link", 0),
    ("slack-manifest --command none", 2),
    ("app-manifest x", 0),
    ("app-manifest X_", 2),
    *((name + (" bash" if name == "completion" else ""), 2) for name in WITHOUT_JSON),
]


# The names of each answer, which stay: docs/commands.md has them, and a program reads them.
FACTS = {
    "keygen": {"key"},
    "token create": {"name", "token", "apps"},
    "token revoke": {"name", "text"},
    "check": {"objects", "notes", "problems"},
    "audit verify": {"whole", "rows", "head", "broken", "compared", "missing", "text"},
    "backup": {"file", "bytes", "audit-rows", "text"},
    "rekey": {"key", "values", "kept", "retired", "text"},
    "webhooks add": {"id", "receiver", "secret"},
    "webhooks remove": {"id", "receiver", "text"},
    "slack-manifest": {"display_information", "features", "oauth_config", "settings"},
    "app-manifest": {"apiVersion", "kind", "items"},
}


def subcommands(parser, before=()):
    """Return every command of the program, with the actions of those that have some."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return [
                name for word, made in action.choices.items() for name in subcommands(made, (*before, word))
            ]
    return [" ".join(before)]


def test_the_table_names_every_command_of_the_program_and_every_action():
    typed = {line for line, _ in PROGRAM}
    left = [
        name
        for name in subcommands(_parser())
        if not any(f"{line} ".startswith(f"{name} ") for line in typed)
    ]
    assert not left, "a command prints documents with -o json, or stands in WITHOUT_JSON with why not"


def test_the_facts_of_an_answer_have_names_that_stay(place, tmp_path, capsys, monkeypatch):
    key = new_key()
    monkeypatch.setenv("CONVOX_KEYS", key)

    async def started():
        async with open_store(tmp_path / "other.db", Keyring([key]), SystemClock()):
            pass

    asyncio.run(started())
    told = set()
    for line in (
        "keygen",
        "token create ci",
        "token revoke ci",
        "check",
        "audit verify",
        "backup copy.db",
        "rekey",
        "webhooks add https://hooks.example.com/x",
        "slack-manifest",
        "app-manifest x",
    ):
        assert ended_with([*line.split(), "-o", "json"]) == 0, line
        (document,) = documents(capsys.readouterr().out)
        name = max((each for each in FACTS if f"{line} ".startswith(f"{each} ")), key=len)
        assert set(document) == FACTS[name], line
        told.add(name)
        if name == "webhooks add":
            assert ended_with(["webhooks", "remove", document["id"], "-o", "json"]) == 0
            (document,) = documents(capsys.readouterr().out)
            assert set(document) == FACTS["webhooks remove"]
            told.add("webhooks remove")
    assert told == set(FACTS)


def ended_with(words):
    try:
        return main(words)
    except SystemExit as end:
        return end.code


def test_every_command_of_the_program_prints_documents_or_says_why_not(place, capsys, monkeypatch):
    monkeypatch.delenv("RACK_URL", raising=False)
    for line, status in PROGRAM:
        ended = ended_with([*line.split(), "-o", "json"])
        out, err = map(documents, capsys.readouterr())
        assert ended == status, (line, out, err)
        assert (
            out
            if line.split()[0] in {"doctor", "check"} and "nowhere" not in line
            else bool(out) != bool(status)
        )
        assert not status or out or err[-1]["error"], line
        if line.split()[0] in WITHOUT_JSON:
            assert "there is no -o json of it" in err[-1]["error"]

    with pytest.raises(SystemExit):
        main(["--version", "-o", "json"])
    assert json.loads(capsys.readouterr().out)["version"]


async def test_a_build_is_a_document_and_its_log_stands_aside(api, place, capsys, monkeypatch):
    images = [f"--image={name}={reference}" for name, reference in IMAGES.items()]
    monkeypatch.setenv("RACK_URL", api.url)
    status, (made,), _ = await typed(capsys, "build", "-a", "myapp", *images, "-o", "json")
    assert status == 0
    assert set(made) == {"id", "app", "release", "status"}
    status, (made, asked, *lines), _ = await typed(capsys, "deploy", "-a", "myapp", *images, "-o", "json")
    assert status == 0
    assert asked["release"] == made["release"]
    assert lines[-1]["ending"] == "OK"
