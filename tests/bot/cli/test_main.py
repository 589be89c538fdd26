"""The other commands: keys, tokens, what an administrator applies, and a start that cannot be."""

import argparse
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version

import pytest
import yaml

from bot.admin.commands import start_problems
from bot.admin.tokens import token_table
from bot.cli.main import _parser, main
from core.records.api_token import ApiToken
from storage.keys import Keyring
from storage.lock import file_lock, opened

KEY = Keyring.generate()
SETTINGS = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "CONVOX_KEYS": KEY,
    "CONVOX_OPEN": "1",
    "API_PORT": "0",
    "API_HOST": "127.0.0.1",
}
NAMES = {
    *SETTINGS,
    "RACK_URL",
    "CONVOX_POLICY",
    "CONVOX_DATABASE",
    "CONVOX_RACK",
    "SLACK_SIGNING_SECRET",
    "PORT",
    "HOST",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory, and an environment that says nothing."""
    for name in NAMES | {f"{name}_FILE" for name in NAMES}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings(monkeypatch):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


def test_keygen_prints_one_key_and_nothing_else(capsys):
    assert main(["keygen"]) == 0

    out, err = capsys.readouterr()
    Keyring([out.removesuffix("\n")])
    assert err == ""


def test_a_token_is_printed_once_and_alone_and_ends_when_it_is_revoked(capsys):
    assert main(["token", "create", "ci"]) == 0
    token = capsys.readouterr().out.removesuffix("\n")
    assert main(["token", "list"]) == 0
    table = capsys.readouterr().out
    assert main(["token", "revoke", "ci"]) == 0
    said = capsys.readouterr().out

    assert len(token) >= 40
    assert token.split() == [token]
    assert token not in table
    assert table.splitlines()[1].startswith("ci    token:ci  *     20")
    assert said == "Revoking ci... OK\n"


def test_a_token_is_made_for_some_apps_and_for_some_time(capsys):
    assert main(["token", "create", "ci", "--expires", "2999-01-31", "--app", "shop-*", "--app", "web"]) == 0
    assert main(["token", "create", "hour", "--expires", "12h"]) == 0
    assert main(["token", "list"]) == 0
    out = capsys.readouterr().out
    assert "shop-*, web" in out
    assert "2999-01-31T00:00:00Z" in out
    assert main(["token", "create", "x", "--expires", "soon"]) != 0
    assert "'soon' says no time" in capsys.readouterr().err
    assert main(["token", "create", "x", "--expires", "2020-01-01"]) != 0
    assert "2020-01-01 00:00 UTC is over" in capsys.readouterr().err


def test_a_token_needs_no_key_and_no_other_setting():
    assert not NAMES & set(os.environ)
    assert main(["token", "create", "ci"]) == 0


def test_a_token_is_made_beside_a_running_bot(folder, capsys):
    main(["token", "create", "laptop"])
    path = folder / "convox.db"
    with opened(path) as file, file_lock(path, file):
        assert main(["token", "create", "ci"]) == 0


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["create", "ci"], 1, "ERROR: token already exists: ci"),
        (["revoke", "nope"], 1, "ERROR: no such token: nope"),
        (["create", "no spaces please"], 2, "is not valid"),
    ],
)
def test_a_token_that_cannot_be_is_a_sentence(capsys, words, status, sentence):
    main(["token", "create", "ci"])

    assert main(["token", *words]) == status
    assert sentence in capsys.readouterr().err


def test_a_database_that_cannot_be_opened_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setenv("CONVOX_DATABASE", "nowhere/convox.db")

    assert main(["token", "create", "ci"]) == 2
    assert "nowhere/convox.db cannot be opened" in capsys.readouterr().err


def test_revoked_tokens_stay_in_the_list():
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    assert token_table(
        [
            ApiToken(name="a", created_at=at),
            ApiToken(name="b", created_at=at, revoked_at=at, used_at=at, expires_at=at, apps=("shop-*", "x")),
        ]
    ) == (
        "NAME  POLICY   APPS       CREATED               USED                  EXPIRES               REVOKED\n"
        "a     token:a  *          2026-01-02T03:04:05Z  never                 never                 \n"
        "b     token:b  shop-*, x  2026-01-02T03:04:05Z  2026-01-02T03:04:05Z  2026-01-02T03:04:05Z  2026-01-02T03:04:05Z"
    )


def test_app_manifest_prints_a_namespace_and_the_bots_rights_in_it(monkeypatch, capsys):
    monkeypatch.setenv("CONVOX_RACK", "staging")

    assert main(["app-manifest", "myapp", "--service-account", "bot", "--bot-namespace", "ops"]) == 0

    namespace, binding = yaml.safe_load_all(capsys.readouterr().out)
    assert (namespace["kind"], namespace["metadata"]["name"]) == ("Namespace", "staging-myapp")
    assert binding["roleRef"]["name"] == "convox-bot-app"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "ops"}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["My App"], "app name 'My App' is not valid"),
        (["system"], "app name is reserved"),
        (["a", "--bot-namespace", "x\ny: z"], "is not the name of a namespace"),
        (["a", "--service-account", "x: y"], "is not the name of a ServiceAccount"),
        (["a", "--bot-namespace", "convox-a"], "is the namespace of the bot itself"),
    ],
)
def test_names_that_cannot_be_are_refused(capsys, words, sentence):
    assert main(["app-manifest", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_serve_names_every_setting_that_is_missing(capsys):
    assert main(["serve"]) == 2

    problems = capsys.readouterr().err.splitlines()
    assert any("SLACK_BOT_TOKEN" in problem for problem in problems)
    assert any("CONVOX_KEYS" in problem for problem in problems)


def test_serve_names_every_problem_of_the_policy(folder, settings, monkeypatch, capsys):
    (folder / "policy.yml").write_text("roles:\n  a: [fly]\nnonsense: 1\n")
    monkeypatch.setenv("CONVOX_POLICY", "policy.yml")

    assert main(["serve"]) == 2

    problems = capsys.readouterr().err.splitlines()
    assert len(problems) >= 2, problems
    assert all("line " in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CONVOX_KEYS", "short", "key 1 of CONVOX_KEYS is not a key"),
        ("CONVOX_POLICY", "nope.yml", "nope.yml cannot be read"),
        ("CONVOX_DATABASE", "nowhere/convox.db", "nowhere/convox.db cannot be opened: No such file"),
    ],
)
def test_serve_ends_with_2_and_a_sentence(settings, monkeypatch, capsys, name, value, sentence):
    monkeypatch.setenv(name, value)

    assert main(["serve"]) == 2

    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err


def test_a_second_serve_is_told_to_take_its_own_database(folder, settings, capsys):
    path = folder / "convox.db"
    with opened(path) as file, file_lock(path, file):
        assert main(["serve"]) == 2
    assert "another convox-bot serve uses" in capsys.readouterr().err


def test_an_error_of_ours_is_no_problem_of_the_operators():
    assert start_problems(ZeroDivisionError()) == []
    assert start_problems(FileNotFoundError(2, "no such file")) == []


def test_an_address_that_is_taken_is_a_sentence():
    (sentence,) = start_problems(OSError(98, "address already in use"))

    assert "API_PORT cannot be listened on" in sentence


@pytest.mark.parametrize("words", [[], ["nonsense"], ["token"], ["token", "create"], ["keygen", "surplus"]])
def test_wrong_usage_of_any_command_ends_with_2(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "usage: convox-bot" in capsys.readouterr().err


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    text = capsys.readouterr().out
    for name in ("serve", "playground", "keygen", "token", "build", "do", "app-manifest"):
        assert f"    {name}" in text


def test_the_version_is_the_one_of_the_package(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"convox-bot {version('convox-bot')}\n"


def options_of(parser):
    """Return (name, help) of every option and argument, those of its commands included."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from options_of(command)
        else:
            yield f"{parser.prog} {'/'.join(action.option_strings) or action.metavar}", action.help or ""


def test_every_option_and_every_argument_says_what_it_is():
    options = dict(options_of(_parser()))

    assert {"convox-bot build -a/--app", "convox-bot token create NAME"} <= set(options)
    assert [name for name, help_text in options.items() if not help_text.split("(default")[0].strip()] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "70000"], "a port is a whole number from 0 to 65535, not '70000'"),
        (["--port", "-1"], "a port is a whole number from 0 to 65535, not '-1'"),
        (["--port", "web"], "a port is a whole number from 0 to 65535, not 'web'"),
        (["--speed", "0"], "it is a number, more than 0 and at most 1000, not '0'"),
        (["--speed", "fast"], "it is a number, more than 0 and at most 1000, not 'fast'"),
        (["--speed", "nan"], "it is a number, more than 0 and at most 1000, not 'nan'"),
    ],
)
def test_an_option_of_the_playground_that_cannot_be_is_a_sentence(words, sentence, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["playground", *words])
    assert sentence in capsys.readouterr().err


def test_do_has_a_help_of_its_own(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["do", "--help"])
    assert "--no-wait" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["keygen"], ["do", "apps"]])
def test_what_people_type_often_imports_neither_slack_nor_kubernetes_nor_pydantic(words):
    program = (
        "import sys; from bot.cli.main import main; main(sys.argv[1:]); "
        "print(*{n.partition('.')[0] for n in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)

    heavy = {"slack_bolt", "slack_sdk", "kubernetes_asyncio", "aiohttp", "pydantic", "yaml"}
    assert not heavy & set(done.stderr.split())


def test_a_reader_that_has_read_enough_is_no_error():
    program = "import sys; from bot.cli.main import main; sys.exit(main(['keygen']))"
    shell = f'{sys.executable} -c "{program}" | true; echo ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert done.stdout.strip() in {"0", "1"}


def test_python_m_bot_is_serve():
    done = subprocess.run([sys.executable, "-m", "bot"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "SLACK_BOT_TOKEN is not set" in done.stderr


@pytest.mark.parametrize("words", [["list"], ["revoke", "ci"]])
def test_a_mistyped_database_is_not_made_by_looking_into_it(folder, capsys, words):
    assert main(["token", *words]) == 2
    said = capsys.readouterr()

    assert said.out == ""
    assert (
        said.err
        == f"there is no database {folder}/convox.db: is CONVOX_DATABASE the one that `serve` uses?\n"
    )
    assert list(folder.iterdir()) == []


def test_the_first_token_says_that_its_database_is_new_and_the_second_does_not(capsys):
    assert main(["token", "create", "ci"]) == 0
    first = capsys.readouterr()
    assert main(["token", "create", "laptop"]) == 0
    second = capsys.readouterr()

    assert first.err == "made the database convox.db: there was none\n"
    assert first.out.strip()
    assert second.err == ""
