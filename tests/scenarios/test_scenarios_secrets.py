"""Values of an environment leave by an explicit reveal to the person who asked, and in no other way (promise 7)."""

import base64
import json
import logging
import secrets
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import orjson
import pytest

from bot.playground.kubelet import texts
from tests.chain import audit_rows, first_broken
from tests.scenarios.arrangement import ALICE, WEB
from tests.scenarios.harness import Stage

OURS = {"bot", "core", "storage"}
KINDS = ("pods", "services", "configmaps", "events", "deployments", "replicasets")
# Every shape holds a word of its own of 16 random digits, by which any part of it would be known again.
SHAPES = {
    "PLAIN": "{}",
    "URL": "postgres://app:{}@db.example:5432/app?sslmode=require&x=%20",
    "QUOTED": "it's \"{}\" & <b>'\\n\\t$HOME`id`",
    "UNICODE": "pässwörd-{}-ключ-🔑",
    "KEY_FILE": "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
    "JSON": '{{"user": "app", "password": "{}"}}',
}
SPOKEN = ("PLAIN", "URL", "QUOTED", "UNICODE", "JSON")


@pytest.fixture
def plane():
    """What is said does not depend on the cluster."""


@dataclass(frozen=True)
class Planted:
    """Random values, one of each shape, and one that looks like base64."""

    values: dict[str, str]
    words: tuple[str, ...]

    @classmethod
    def make(cls) -> "Planted":
        words = {name: secrets.token_hex(8) for name in SHAPES}
        values = {name: shape.format(words[name]) for name, shape in SHAPES.items()}
        encoded = base64.b64encode(secrets.token_bytes(24)).decode()
        return cls({**values, "ENCODED": encoded}, (*words.values(), encoded))

    def dump(self) -> str:
        """Return what a program prints that shows its environment in every way at once."""
        rows = [
            f"{name}={value} {value!r} {json.dumps({name: value})} {quote(value)} {_base64(value)}"
            for name, value in self.values.items()
        ]
        return "\n".join(rows) + "\n"

    def found_in(self, text: str | bytes) -> list[str]:
        """Return the names of everything that a text tells."""
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return [word for word in self._spellings() if word in shown]

    def _spellings(self) -> Iterator[str]:
        yield from self.words
        for value in self.values.values():
            yield _base64(value).rstrip("=")


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def everything_said(stage: Stage) -> str:
    """Return all that Slack was told, shown or not, but for what is only alice's to see."""
    calls = [call for call in stage.slack.calls if call.method != "response_url"]
    messages = [(message.text, message.blocks) for message in stage.slack.store.messages]
    return repr([(call.method, call.args, call.answer) for call in calls]) + repr(messages)


def database(stage: Stage) -> bytes:
    """Return the database file as it is, with what is only in its write-ahead log."""
    path = stage.settings.convox_database
    return b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))


def our_records(caplog: pytest.LogCaptureFixture) -> str:
    records = [record for record in caplog.records if record.name.partition(".")[0] in OURS]
    return "\n".join(logging.Formatter("%(name)s %(message)s").format(record) for record in records)


async def plant(stage: Stage, planted: Planted) -> None:
    """Set what can be typed in Slack there, and the rest, a value of several lines, from a terminal."""
    spoken = [f"{name}={planted.values[name]}" for name in SPOKEN]
    answer = await stage.command(f"env set {shlex.join(spoken)}")
    assert "Setting JSON, PLAIN, QUOTED, UNICODE, URL... OK" in answer, answer
    rest = [f"{name}={planted.values[name]}" for name in ("KEY_FILE", "ENCODED")]
    status, said = await stage.do(shlex.join(["env", "set", *rest, "-a", "myapp"]))
    assert status == 200, said
    newest = (await stage.bot.store.read.releases("myapp", 1))[0]
    assert dict(newest.environment.pairs) == planted.values


async def test_values_are_nowhere_but_in_the_reveal(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    for name in OURS:
        caplog.set_level(logging.DEBUG, logger=name)
    planted = Planted.make()
    monkeypatch.setattr(texts, "ending", lambda behaviour, moment: planted.dump())
    await plant(stage, planted)
    heard: list[str] = []
    good = await stage.running(web="v1")
    bad = await stage.promoted(await stage.build(web="v2-crash"))
    assert bad.phase == "Reverted"
    heard.append(str(bad.cause))
    # The proof of the failure was told, without what it gives away.
    thread = "\n".join(await stage.thread(bad.id))
    assert "PLAIN=****" in thread
    for words in (
        f"releases info {good}",
        "releases",
        "env",
        "apps info myapp",
        f"releases manifest {good}",
        f"env set 1X={planted.values['PLAIN']}",
    ):
        heard += [await stage.command(words), str(await stage.do(f"{words} -a myapp"))]
    manifest = WEB.replace("count: 2", "count: ${PLAIN}").replace("interval: 1", "interval: ${URL}")
    body = {"manifest": manifest, "images": {"web": "registry.example/web:v3"}}
    status, problem = await stage.http("POST", "/apps/myapp/builds", body)
    assert (status, "${PLAIN}" in problem) == (422, True), problem
    heard += [problem, (await stage.http("GET", f"/promotions/{bad.id}/lines"))[1]]
    heard.append((await stage.http("GET", "/metrics"))[1])
    before = [message.text for message in stage.slack.ephemerals(ALICE)]
    revealed = await stage.command(f"releases info {good} --reveal")
    heard += before

    assert all(word in revealed for word in planted.words)
    assert len(stage.slack.ephemerals(ALICE)) == len(before) + 1
    assert planted.found_in("\n".join(heard)) == []
    assert planted.found_in(everything_said(stage)) == []
    assert good.encode() in database(stage)
    assert planted.found_in(database(stage)) == []
    for kind in KINDS:
        objects = [{**found, "status": None} for found in await stage.items(kind)]
        assert planted.found_in(orjson.dumps(objects)) == [], kind
    secret = next(
        s for s in await stage.items("secrets") if s["metadata"]["name"] == f"env-web-{good.lower()}"
    )
    data = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    assert planted.values.items() <= data.items()
    assert planted.found_in(orjson.dumps({**secret, "data": None})) == []
    await stage.restart()
    await stage.command(f"releases info {good}")
    await stage.stop()
    assert planted.found_in(database(stage)) == []
    assert planted.found_in(our_records(caplog)) == []


async def test_a_value_in_a_registrys_complaint_is_masked(stage: Stage):
    word = secrets.token_hex(8)
    await stage.command(f"env set RELEASE_TRAIN={word}")
    promotion = await stage.promoted(await stage.build(web=f"notfound-{word}"))

    assert str(promotion.cause) == (
        "image registry.example/myapp/web:notfound-**** does not exist in the registry: no such repository or tag"
    )
    text = "\n".join([*await stage.thread(promotion.id), (await stage.card(promotion.id)).text])
    assert "Pulling image" in text
    assert word not in text.replace(f"build of notfound-{word}", "")
    assert word not in (await stage.http("GET", f"/promotions/{promotion.id}/lines"))[1]


async def test_a_reveal_prints_the_documented_block_to_the_person_who_asked(stage: Stage):
    await stage.command("env set FOO=bar 'MOTTO=a < b & c' EMPTY=")
    release = await stage.build(web="v1")
    made = await stage.bot.store.read.release("myapp", release)
    answer = await stage.command(f"releases info {release} --reveal")

    block = answer.removeprefix("```\n").partition("\n```")[0]
    assert block.split("\n") == [
        f"Id           {release}",
        f"Build        {made.build}",
        f"Created      {made.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "Description  build of v1",
        "Env          FOO=bar",
        "             MOTTO=a &lt; b &amp; c",
        "             EMPTY=",
    ]
    masked = await stage.command(f"releases info {release}")
    assert "Env          FOO=****\n             MOTTO=****\n             EMPTY=****" in masked
    assert stage.slack.messages("C01DEPLOYS") == []


async def test_who_may_not_see_values_is_refused_and_every_reveal_is_on_record(stage: Stage):
    await stage.command("env set FOO=bar")
    release = await stage.build(web="v1")
    for words in (f"releases info {release} --reveal", "env --reveal", "env get FOO"):
        answer = await stage.command(words, user="U03CAROL")
        assert answer.startswith("```\nERROR: you may not read or change the environment of myapp: "), answer
    for words in (f"releases info {release} --reveal", "env --reveal", "env get FOO"):
        assert "bar" in await stage.command(words)

    rows = await audit_rows(stage.bot.store)
    reveals = [
        (row["subject"], orjson.loads(row["actor"])["id"]) for row in rows if row["action"] == "env.reveal"
    ]
    assert reveals == [(release, ALICE), (release, ALICE), (f"{release}/FOO", ALICE)]
    assert await first_broken(stage.bot.store) is None
