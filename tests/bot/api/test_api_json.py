"""Answers and lines for programs: JSON beside the text, one object a line until the last, which says how it ended."""

import json

import pytest

from core.actor import Actor
from core.errors import Unreachable
from core.policy.authorization import parse_policy
from tests.bot.api.conforming import validator
from tests.core.world import BOB, ONE_APPROVAL, by
from tests.fakes import broken


async def asked(api, text):
    answer = await api.post("/commands", json={"text": text, "output": "json"})
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def lines(api, promotion, after=0):
    answer = await api.get(f"/promotions/{promotion}/lines", params={"after": str(after), "format": "json"})
    assert answer.content_type == "application/x-ndjson"
    return [json.loads(line) for line in (await answer.text()).splitlines()]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("apps", list),
        ("apps info -a myapp", dict),
        ("releases -a myapp", list),
        ("releases info {release} -a myapp", dict),
        ("stats -a myapp", dict),
        ("releases history -a myapp", list),
        ("releases history --at 2020-01-01T00:00Z -a myapp", dict),
        ("releases diff {release} -a myapp", dict),
        ("builds -a myapp", list),
        ("builds info {build} -a myapp", dict),
        ("env -a myapp", dict),
        ("env get LOG -a myapp", dict),
        ("services -a myapp", list),
        ("scale web -a myapp", list),
        ("ps -a myapp", list),
        ("timers -a myapp", list),
        ("resources -a myapp", list),
        ("logs -a myapp", list),
        ("logs --filter nothing -a myapp", list),
    ],
)
async def test_every_list_and_fact_has_data_beside_its_text(api, text, kind):
    await api.command("env set LOG=info -a myapp")
    await api.world.good()
    made = await api.world.build()

    body = await asked(api, text.format(release=made.release.id, build=made.build.id))

    assert isinstance(body["data"], kind)
    assert isinstance(body["notes"], list)


@pytest.mark.parametrize(
    "text",
    [
        "env set A=1 -a myapp",
        "env unset LOG -a myapp",
        "env set A=2 --promote -a myapp",
        "releases promote -a myapp",
        "releases create-from --use-active-release-build --use-active-release-env -a myapp",
    ],
)
async def test_the_release_that_an_action_makes_or_promotes_is_a_field(api, text):
    await api.command("env set LOG=info -a myapp")
    await api.world.good()
    body = await (await api.command(text)).json()
    newest = (await api.store.read.releases("myapp", 1))[0].id
    assert body["release"] == newest
    await api.world.idle()


async def test_what_is_no_list_has_no_data_and_without_asking_nobody_gets_any(api):
    assert (await asked(api, "env set A=1 -a myapp"))["data"] is None
    assert set(await (await api.command("apps")).json()) == {"text", "promotion"}


async def test_a_release_on_hold_says_so_in_data_too(api):
    await api.world.good()
    bad = await api.world.build()
    api.world.cluster.behaves[bad.release.id] = lambda _: broken()
    await api.world.promote(bad.release.id)

    (newest, *_) = (await asked(api, "releases -a myapp"))["data"]
    assert (newest["id"], newest["hold"], newest["verified"]) == (bad.release.id, True, False)
    found = (await asked(api, f"releases info {bad.release.id} -a myapp"))["data"]
    assert found["hold"]
    assert found["notes"] == ["nobody outside of the cluster reaches web: this rack has no router"]


async def test_another_output_is_refused(api):
    answer = await api.post("/commands", json={"text": "apps", "output": "xml"})
    assert answer.status == 422
    assert (await answer.json())["error"].startswith("output: ")


async def test_lines_come_as_objects_with_their_phase_and_the_last_says_how_it_ended(api):
    promotion = await api.world.promote((await api.world.build()).release.id)

    *told, last = await lines(api, promotion.id)

    assert told[0]["text"] == "Status: Running => Pending"
    assert all(set(line) == {"time", "object", "text", "phase"} for line in told)
    phases = list(dict.fromkeys(line["phase"] for line in told))
    assert phases == ["Pending", "Updating", "Running"]
    assert last == {
        "ending": "OK",
        "cause": "",
        "phase": "Running",
        "release": promotion.release,
        "ok": True,
    }
    assert await lines(api, promotion.id, after=2) == [*told[2:], last]


async def test_evidence_is_one_line_and_a_failure_says_its_cause(api):
    good = await api.world.good()
    made = await api.world.build()
    api.world.cluster.behaves[made.release.id] = lambda _: broken()
    promotion = await api.world.promote(made.release.id)

    *told, last = await lines(api, promotion.id)

    assert any("\n" in line["text"] for line in told), "a block of log lines is one text"
    assert last["ending"].startswith(f"ERROR: rolled back to {good}: ")
    assert last["cause"] in last["ending"]
    assert last["ok"] is False


async def test_the_reason_of_a_decline_is_its_cause(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    asked_for = await api.world.ask((await api.world.build()).release.id)
    await api.world.decider.decline(by(BOB), asked_for.promotion.id, "not today")

    (last,) = await lines(api, asked_for.promotion.id)
    assert last["cause"] == "not today"
    assert last["phase"] == "Declined"


async def test_another_format_is_refused(api):
    promotion = await api.world.promote((await api.world.build()).release.id)
    answer = await api.get(f"/promotions/{promotion.id}/lines", params={"format": "xml"})
    assert answer.status == 422
    assert (await answer.json())["error"] == "format is one of text, json, live"


TOKEN = Actor("token", "ci")
SEATS = """\
apps:
  - match: ["*"]
    approvals:
      promote: {seats: [{from: [U02BOB]}, {from: ["group:S01OPS"]}]}
"""


async def test_whoever_looks_on_is_told_what_is_awaited_beside_lines_that_count(api, monkeypatch):
    api.world.policy = parse_policy(SEATS, open_to_all=True)
    asked_for = await api.world.ask((await api.world.build()).release.id)
    promotion = asked_for.promotion.id
    path = f"/promotions/{promotion}/lines?format=live"
    rows = []
    async with api.get(path) as answer:
        rows.append(json.loads(await answer.content.readline()))
        await api.world.decider.decline(by(BOB), promotion, "not\x1b[2J today")
        rows += [json.loads(row) async for row in answer.content]

    first, *_, last = rows
    assert first["awaited"] == "Waiting for 2 approvals by @u02bob; group:S01OPS"
    assert first["seconds"] >= 0
    validator("AwaitedResponse").validate(first)
    assert last["text"].startswith("ERROR: ")
    whole = [row["text"] for row in rows if "text" in row]
    assert whole == await api.lines(promotion)
    assert [json.loads(row) for row in (await (await api.get(f"{path}&after=1")).text()).splitlines()] == []


async def test_who_is_asked_is_told_while_nobody_knows_who_is_in_a_group(api, monkeypatch):
    async def unreachable(_):
        raise Unreachable("Slack does not answer")

    api.world.policy = parse_policy(SEATS, open_to_all=True)
    promotion = (await api.world.ask((await api.world.build()).release.id)).promotion
    monkeypatch.setattr(api.world.directory, "group", unreachable)
    told = await api.world.viewer.open_seats(by(TOKEN), promotion)
    assert (told.missing, told.seats) == (2, [("U02BOB",), ("group:S01OPS",)])


async def test_a_group_that_is_told_of_it_is_who_is_asked(api):
    api.world.policy = parse_policy(ONE_APPROVAL + "    ask: group:S01OPS\n", open_to_all=True)
    promotion = (await api.world.ask((await api.world.build()).release.id)).promotion
    told = await api.world.viewer.open_seats(by(BOB), promotion)
    assert (told.people, told.seats) == (("group:S01OPS",), [])
