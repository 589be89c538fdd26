"""Schemathesis asks a running bot whatever its document allows, and what it does not: no 5xx, no answer that is not told of, no door open.

The bot is whole, between the emulated Slack and the simulated cluster. What the tool cannot do here: sign a body for GitHub (it is
refused, and so is every body that it makes up; `tests/bot/api/webhooks` signs), and know the token of a build, which only
a pod has.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from bot.api.openapi.operation import ApiAccess
from bot.api.openapi.operations import OPERATIONS, operation_at
from bot.api.server import new_api
from bot.command.grammar import RULES
from bot.handlers.budgets import RateLimit
from bot.playground import wiring
from bot.settings import read_settings
from bot.wiring import doors, use_cases
from tests.bot.api.asking import basic
from tests.docs.pages import blocks, page
from tests.playground.playing import playing

GITLAB = "the secret token of GitLab"
SECRETS = {
    "CONVOX_READS_PER_MINUTE": "100000",
    "CONVOX_CHANGES_PER_MINUTE": "100000",
    "CONVOX_GITHUB_WEBHOOK_SECRETS": "the secret of GitHub",
    "CONVOX_GITLAB_WEBHOOK_SECRETS": GITLAB,
}
# Of each operation and phase; the whole run stays under half a minute on a machine that does nothing else.
EXAMPLES = 6
SECONDS = 150
# What the tool cannot prove to be allowed to do (that nobody else is, it does prove), and what depends on how far a build is.
BEYOND = {"fetchSource", "tellClone", "github", "cancelBuild", "retryBuild"}


def config(password: str, ids: dict[str, str]) -> str:
    """The configuration of the tool: how it proves who it is, and what exists, so that it gets beyond `404`."""
    known = {
        "apps": ["myapp", "api"],
        "commands": commands(),
        "repositories": ["https://git.example/shop/web"],
        **{kind: [each] for kind, each in ids.items()},
    }
    dictionaries = "\n".join(
        f"{name} = {{ values = {json.dumps(values)} }}" for name, values in known.items()
    )
    return f"""\
[auth.openapi]
token = {{ username = "convox", password = {json.dumps(password)} }}
gitlab = {{ api_key = {json.dumps(GITLAB)} }}
github = {{ api_key = "sha256={"0" * 64}" }}
build = {{ bearer = "{"0" * 64}" }}

[dictionaries]
{dictionaries}

[parameters]
"path.app" = {{ dictionary = "apps", probability = 0.7 }}

[[operations]]
include-path-regex = "^/builds/"
parameters = {{ "path.id" = {{ dictionary = "builds", probability = 0.7 }} }}

[[operations]]
include-path-regex = "^/promotions/"
parameters = {{ "path.id" = {{ dictionary = "promotions", probability = 0.7 }} }}

[[operations]]
include-path-regex = "^/sources/"
parameters = {{ "path.id" = {{ dictionary = "sources", probability = 0.7 }} }}

# A text that is no command, values that fit no convox.yml: they fit the schema, and what they say is judged.
[[operations]]
include-operation-id = ["command", "build", "announceSource", "upload", "tellClone", "github", "gitlab"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 413, 422, 429]

# What is no push is acknowledged and not read; and whether it is one, a header says.
[[operations]]
include-operation-id = ["github", "gitlab"]
checks.negative_data_rejection.enabled = false

[[operations]]
include-operation-id = "command"
parameters = {{ "body.text" = {{ dictionary = "commands", probability = 0.7 }} }}

[[operations]]
include-operation-id = "build"
parameters = {{ "body.git" = {{ dictionary = "repositories", probability = 0.3 }}, "body.source" = {{ dictionary = "sources", probability = 0.3 }} }}
"""


def commands() -> list[str]:
    """Every command that the page of commands shows."""
    shown = [line for block in blocks(page("commands.md")) for line in block.splitlines()]
    found = [line.removeprefix("/convox ") for line in shown if line.startswith("/convox ")]
    assert len(found) >= len(RULES)
    return sorted(set(found))


async def ids_of(session: aiohttp.ClientSession, url: str) -> dict[str, str]:
    """Make one of each thing that has an id."""

    async def post(path: str, **document: object) -> dict[str, str]:
        async with session.post(f"{url}{path}", json=document) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()

    built = await post("/apps/myapp/builds", git="https://git.example/shop/web")
    promoted = await post("/commands", text="releases promote -a myapp")
    source = await post("/apps/myapp/sources", digest=f"sha256:{'0' * 64}", size=1_000)
    return {"builds": built["id"], "promotions": promoted["promotion"], "sources": source["id"]}


async def test_schemathesis_finds_nothing(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(
        wiring, "read_settings", lambda kind, given, dotenv: read_settings(kind, given | SECRETS, dotenv)
    )
    # What it asks for without a token, or with a wrong one, is of one address; nobody is kept waiting here.
    monkeypatch.setattr(use_cases, "STRANGERS", RateLimit(minute=1_000_000, burst=1_000_000))
    answered: set[tuple[str, int]] = set()

    def counting(*given):
        api = new_api(*given)

        async def count(request, answer):
            asked = operation_at(request.method, request.path)
            answered.add((asked.id if asked else "", answer.status))

        api.on_response_prepare.append(count)
        return api

    monkeypatch.setattr(doors, "new_api", counting)
    async with playing(tmp_path / "state") as made:
        rack = urlsplit(made.rack_url)
        url, password = f"http://{rack.hostname}:{rack.port}", rack.password
        async with aiohttp.ClientSession(headers=basic(password)) as session:
            ids = await ids_of(session, url)
            async with session.get(f"{url}/openapi.json") as answer:
                document = tmp_path / "openapi.json"
                document.write_bytes(await answer.read())
        file = tmp_path / "schemathesis.toml"
        file.write_text(config(password, ids))
        program = Path(sys.executable).with_name("schemathesis")
        flags = f"--max-examples {EXAMPLES} --continue-on-failure --warnings off --seed 1 --url {url}".split()
        running = await asyncio.create_subprocess_exec(
            *(program, "--no-color", "--config-file", file, "run", document),
            *flags,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(SECONDS):
            said, _ = await running.communicate()
    text = said.decode()
    assert running.returncode == 0, text
    assert "Tested: " in text
    reached = {asked for asked, status in answered if status < 400}
    assert {each.id for each in OPERATIONS} - reached <= BEYOND
    assert {each.id for each in OPERATIONS if each.access is not ApiAccess.OPEN} == {
        asked for asked, status in answered if status == 401 and asked
    }
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors, "what nobody foresaw is in the log"
