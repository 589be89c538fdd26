"""`POST /commands`: everything that `/convox` does, without Slack."""

import pytest

from core.errors import UserError
from core.policy.authorization import parse_policy
from tests.bot.api.asking import BUILD, policy_of
from tests.core.world import ALICE, ONE_APPROVAL, by


async def test_a_plain_answer_has_a_text_and_no_promotion(api):
    answer = await api.command("apps")

    assert answer.status == 200
    body = await answer.json()
    assert set(body) == {"text", "promotion"}
    assert body["text"].startswith("APP")
    assert body["promotion"] is None


async def test_a_promotion_is_asked_for_and_named(api):
    made = await api.world.build()

    answer = await api.command(f"releases promote {made.release.id.lower()} -a myapp")

    body = await answer.json()
    assert body["text"].splitlines()[0] == f"Promoting {made.release.id}..."
    promotion = await api.store.read.promotion(body["promotion"])
    assert (promotion.release, promotion.source) == (made.release.id, "http")
    assert promotion.requested_by.key == "token:ci"
    assert answer.headers["Promotion-Phase"] == "Pending"


async def test_the_shape_of_the_first_line_does_not_change_where_there_is_more_to_say(api):
    await api.world.registrar.create_app(by(ALICE), "quiet")
    made = await api.world.build("quiet")

    body = await (await api.command(f"releases promote {made.release.id} -a quiet")).json()

    first, *rest = body["text"].splitlines()
    assert first == f"Promoting {made.release.id}..."
    assert any("no channel" in line for line in rest), rest


async def test_an_approval_that_is_awaited_is_said_in_words_and_in_a_header(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    made = await api.world.build()

    answer = await api.command(f"releases promote {made.release.id} -a myapp")

    body = await answer.json()
    assert answer.headers["Promotion-Phase"] == "AwaitingApproval"
    assert body["text"].endswith(
        f"\nWaiting for 1 approval: #C1, or `convox-bot do approve {body['promotion']}`"
    )


@pytest.mark.parametrize(
    ("text", "status", "begin"),
    [
        ("nonsense", 422, "unknown command: nonsense"),
        ("releases", 422, "which app? add -a APP"),
        ("releases -a nope", 404, "app not found: nope"),
        ("releases promote RAAAAAAAAAA -a myapp", 404, "no such release"),
        ("releases promote B -a myapp", 422, "not a release id"),
        ("apps cancel myapp", 409, "app is not updating"),
        ("approve PAAAAAAAAAA", 404, "no such promotion"),
        ("cancel PAAAAAAAAAA", 404, "no such promotion"),
        ("link myapp", 400, "a channel can only be linked from Slack"),
        ("unlink -a myapp", 400, "a channel can only be linked from Slack"),
        ("help " + "x" * 70_000, 422, "that is too long"),
        ("help zzz", 422, "no command is called 'zzz'"),
    ],
)
async def test_a_refusal_has_its_status_and_its_sentence(api, text, status, begin):
    answer = await api.command(text)

    assert answer.status == status
    assert (await answer.json())["error"].startswith(begin)


@pytest.mark.parametrize("text", ["help", "help env", "qwertz"])
async def test_a_terminal_is_never_told_to_type_a_slash(api, text):
    assert "/convox" not in await (await api.command(text)).text()


async def test_what_to_do_now_is_told_beside_the_sentence(api):
    body = await (await api.command("release promote")).json()

    assert body["error"].startswith("unknown command")
    assert body["hint"].startswith("did you mean: `convox-bot do releases promote ")


async def test_every_hint_can_be_typed_as_it_stands_in_a_terminal(api):
    """A refusal of the guards, of the grammar for what is missing, and for what is too much."""
    older = (await (await api.post("/apps/myapp/builds", json=BUILD)).json())["release"]
    newer = (await (await api.post("/apps/myapp/builds", json=BUILD)).json())["release"]
    await api.world.promote(newer)
    for text, hint in [
        (f"releases promote {older} -a myapp", f"`convox-bot do releases rollback {older} -a myapp`"),
        ("env get -a myapp", "usage: `convox-bot do env get KEY"),
        (f"releases info {older} --force -a myapp", "usage: `convox-bot do releases info "),
    ]:
        body = await (await api.command(text)).json()
        assert body["hint"].startswith(hint), body


@pytest.mark.parametrize(("down", "whom"), [(False, "@u01alice"), (True, "@U01ALICE")])
async def test_the_policy_says_who_to_ask_by_name_or_else_by_id(api, down, whom):
    api.world.policy = parse_policy(policy_of("view", who="U01ALICE"))
    api.world.directory.down = down

    answer = await api.command("releases -a myapp")

    assert answer.status == 403
    assert (await answer.json())["error"] == (
        f"you may not view myapp: that needs the role some for it (ask {whom})"
    )


async def test_a_token_that_nobody_gave_anything_may_nothing(api):
    api.world.policy = parse_policy(policy_of("view, env", who="U01ALICE"))

    for text in ("apps", "env -a myapp", "apps create other", "releases -a myapp"):
        assert (await api.command(text)).status == 403, text
    assert (await api.command("help")).status == 200


async def test_a_value_of_an_environment_comes_back_exactly(api):
    value = "a \"b\" 'c' <@U01ALICE> &amp; “d” – $e `f` \\ \\n"
    quoted = value.replace("'", "'\"'\"'")

    assert (await api.command(f"env set KEY='{quoted}' -a myapp")).status == 200

    body = await (await api.command("env get KEY -a myapp")).json()
    assert body["text"] == value


async def test_a_channel_that_took_no_card_is_named_to_whoever_sees_none(api):
    async def promoted() -> dict[str, str]:
        release = (await api.world.build()).release.id
        body = await (await api.command(f"releases promote {release} -a myapp")).json()
        await api.world.end(body["promotion"])
        return body

    first = await promoted()
    assert "Note" not in first["text"]
    await api.store.outbox.card_failed(first["promotion"], "not_in_channel")
    body = await promoted()
    assert "Note: #C1 did not take the last card of myapp (not_in_channel): invite me there" in body["text"]
    await api.store.outbox.card_posted(body["promotion"], "1.1", 0)
    await api.store.outbox.channel_closed(body["promotion"], "is_archived")
    body = await promoted()
    assert "Note: #C1 did not take the last card of myapp (is_archived): invite me there" in body["text"]


async def test_what_was_done_before_a_refusal_is_told_too(api):
    await api.world.build()
    running = await api.world.ask((await api.world.build()).release.id)
    api.world.policy = parse_policy(policy_of("view, env, promote"))

    answer = await api.command("env set FOO=bar --promote -a myapp")

    body = await answer.json()
    assert answer.status == 409, body
    assert running.promotion.id in (await api.store.read.in_flight("myapp")).id
    assert body["error"].startswith("app is currently updating")
    newest = (await api.store.read.releases("myapp", 1))[0].id
    assert body["text"].splitlines()[:2] == ["Setting FOO... OK", f"Release: {newest}"]
    assert "ERROR" not in body["text"]


async def test_a_database_that_cannot_be_used_is_a_sentence(api, monkeypatch):
    async def unusable(*_):
        raise UserError("the database cannot be used: its disk is full")

    monkeypatch.setattr(api.world.promoter, "request", unusable)

    answer = await api.command("releases promote -a myapp")

    assert answer.status == 400
    assert (await answer.json())["error"] == "the database cannot be used: its disk is full"
