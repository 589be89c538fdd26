"""A promotion of a commit is a deployment on GitHub, whose status follows it; without a right that is said once."""

import pytest
from aiohttp import web
from aiohttp.resolver import ThreadedResolver

from bot.outgoing.github import (
    DeploymentReceiver,
    _number,
    _payload,
    _Refused,
    api_of,
    new_github_session,
)
from bot.outgoing.receiver import Undelivered
from core.errors import Rejected, Unavailable
from core.usecases.build_registrar import NewRelease
from tests.bot.outgoing.github import GitHub, github
from tests.bot.outgoing.receiving import tell, telling, told
from tests.core.world import ALICE, World, by, manifest, world

SHA = "89df13d5bf64a21f8a9f2bfdad8654ecb144d7f6"
REPOSITORY = "https://github.com/acme/web"


@pytest.fixture
async def w(tmp_path):
    async with world(tmp_path) as made:
        yield made


async def build(w: World, *, repository: str = REPOSITORY, sha: str = SHA) -> NewRelease:
    return await w.registrar.register_build(
        by(ALICE), "myapp", manifest=manifest(), images={}, repository=repository, git_sha=sha
    )


async def give_token(w: World, token: str = "ghp_good", host: str = "github.com") -> None:
    await w.registrar.add_git_account(by(ALICE), "myapp", host=host, token=token)


def states(at: GitHub, number: int = 1) -> list[str]:
    return [each["state"] for each in at.statuses[number]]


async def test_start_and_verdict_are_a_deployment_and_its_statuses(w: World):
    async with github(SHA) as (at, api), telling(w, github=api) as sender:
        await give_token(w)
        promotion = await w.promote((await build(w)).release.id)
        await tell(sender)
        (made,) = at.deployments
        assert (made["ref"], made["environment"]) == (SHA, "convox-myapp")
        assert made["payload"] == {"promotion": promotion.id, "release": promotion.release}
        assert states(at) == ["in_progress", "success"]
        assert at.statuses[1][1]["description"] == f"{promotion.release}: OK"
        assert (await told(w, "github")).delivered == 2


async def test_one_that_goes_back_has_failed(w: World):
    async with github(SHA) as (at, api), telling(w, github=api) as sender:
        await w.good()
        await give_token(w)
        made = await build(w)

        def refuse(request: str) -> None:
            if request.startswith("apply Deployment/web") and made.release.id in request:
                raise Rejected("no")

        w.cluster.refuse = refuse
        promotion = await w.promote(made.release.id)
        assert promotion.phase in {"Reverted", "Refused"}
        await tell(sender)
        assert states(at)[-1] == "failure"


async def test_killed_between_two_requests_no_second_deployment_is_made(w: World, monkeypatch):
    async with github(SHA) as (at, api):
        await give_token(w)
        await w.promote((await build(w)).release.id)
        at.fails = []
        async with telling(w, github=api) as sender:

            async def dies(*_: object) -> None:
                raise Unavailable("the process is gone")

            with monkeypatch.context() as dying:
                dying.setattr(w.store.outgoing, "delivered", dies)
                await tell(sender)
        async with telling(w, github=api) as sender:
            await tell(sender)
        assert len(at.deployments) == 1
        assert states(at) == ["in_progress", "success"]


@pytest.mark.parametrize(
    "status",
    [pytest.param(404, id="no right"), pytest.param(401, id="bad token"), pytest.param(403, id="forbidden")],
)
async def test_a_missing_right_is_said_once_and_asked_again_with_another_token(w: World, status, caplog):
    async with github(SHA) as (at, api), telling(w, github=api) as sender:
        await give_token(w, "ghp_bad")
        at.fails = [lambda: web.json_response({"message": "no"}, status=status)] * 9
        for _ in range(2):
            await w.promote((await build(w)).release.id)
            await tell(sender)
        assert len(at.asked) == 1
        assert caplog.text.count("needs the right to write deployments") == 1
        known = await told(w, "github")
        assert (known.waiting, known.dropped) == (0, 4), "start and verdict of both, none of them unseen"
        assert (await w.store.outgoing.backlog())["github"].dropped == {"unauthorized": 4}
        assert f"github.com says {status}" in known.answer
        at.fails = []
        await give_token(w)
        await w.promote((await build(w)).release.id)
        await tell(sender)
        assert states(at) == ["in_progress", "success"]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "RESET"}),
        (429, {"retry-after": "600"}),
        (403, {"retry-after": "600"}),
    ],
)
async def test_a_limit_is_waited_for(w: World, status, headers):
    async with github(SHA) as (at, api), telling(w, github=api) as sender:
        await give_token(w)
        await w.promote((await build(w)).release.id)
        reset = str(int(w.clock.now().timestamp()) + 600)
        given = {key: value.replace("RESET", reset) for key, value in headers.items()}
        at.fails = [lambda: web.json_response({}, status=status, headers=given)]
        await tell(sender)
        assert (await told(w, "github")).answer == "github.com asks for a rest"
        w.clock.jump(300)
        await tell(sender)
        assert len(at.asked) == 1
        w.clock.jump(301)
        await tell(sender)
        assert states(at) == ["in_progress", "success"]


@pytest.mark.parametrize(
    ("answer", "said", "waiting"),
    [
        (lambda: web.Response(status=500), "github.com says 500", 2),
        (
            lambda: web.Response(status=301, headers={"Location": "/x"}),
            "github.com says 301: the repository has moved",
            0,
        ),
        *(
            (lambda text=text: web.Response(text=text), "github.com does not speak GitHub's JSON", 2)
            for text in ("<html>", "{}", "[1]", "null", "[]")
        ),
    ],
)
async def test_what_else_github_says_is_told_in_our_words(w: World, answer, said, waiting):
    async with github(SHA) as (at, api), telling(w, github=api) as sender:
        await give_token(w)
        await w.promote((await build(w)).release.id)
        at.fails = [answer] * 9
        await tell(sender)
        known = await told(w, "github")
        assert (known.answer, known.waiting) == (said, waiting)


async def test_a_host_that_does_not_answer_keeps_no_other_waiting(w: World):
    async with (
        github(SHA) as (at, api),
        telling(
            w, github=lambda host: "http://127.0.0.1:1" if host == "github.acme.com" else api(host)
        ) as sender,
    ):
        await give_token(w)
        await give_token(w, host="github.acme.com")
        for _ in range(3):
            await w.promote((await build(w, repository="https://github.acme.com/acme/web")).release.id)
        await w.promote((await build(w)).release.id)
        await tell(sender)
        assert states(at) == ["in_progress", "success"]
        assert (await told(w, "github")).waiting == 6
        for _ in range(30):
            w.clock.jump(3600)
            await tell(sender)
        assert (await w.store.outgoing.backlog())["github"].dropped == {"expired": 6}


@pytest.mark.parametrize(
    ("host", "where", "said"),
    [
        ("github.acme.com", "https://169.254.169.254/api/v3", "stands for an address that is not one of"),
        ("github.acme.com", "https://[::ffff:10.0.0.1]/api/v3", "stands for an address that is not one of"),
        ("github.acme.com", "http://github.acme.com/api/v3", "stands for an address that is not one of"),
        ("github.1", "", "stands for an address that is not one of"),
        ("github.localhost", "", "stands for an address that is not one of"),
        ("github", "https://localhost.localdomain/api/v3", "stands for an address that is not one of"),
    ],
)
async def test_a_host_of_git_that_leads_inwards_is_not_asked(w: World, monkeypatch, host, where, said):
    """Whoever may type `git add HOST` chooses whom the bot calls, as whoever adds a webhook does."""

    async def resolve(self: ThreadedResolver, *_: object) -> list[dict[str, object]]:
        return [{"hostname": host, "host": "10.0.0.1", "port": 443, "family": 2, "proto": 0, "flags": 0}]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)
    await give_token(w, host=host)
    await w.promote((await build(w, repository=f"https://{host}/acme/web")).release.id)
    async with new_github_session(private=False) as session:
        receiver = DeploymentReceiver(
            session,
            w.store.read,
            rack="convox",
            link=lambda _c, _ts: "",
            clock=w.clock,
            api=(lambda _host: where) if where else api_of,
        )
        event = await w.store.outgoing.due("github")
        assert event is not None
        heard = await receiver.deliver(await told(w, "github"), event)
    assert isinstance(heard, Undelivered)
    assert heard.answer.startswith(f"{host} {said}")
    assert heard.answer.endswith("CONVOX_WEBHOOK_PRIVATE=1 is not set")


async def test_a_commit_that_github_does_not_know_is_given_up(w: World):
    async with github() as (_, api), telling(w, github=api) as sender:
        await give_token(w)
        await w.promote((await build(w)).release.id)
        await tell(sender)
        assert (await told(w, "github")).answer == "github.com says 422: it does not know this commit"


async def test_one_that_does_not_answer_is_tried_again(w: World):
    async with telling(w, github=lambda _host: "http://127.0.0.1:1") as sender:
        await give_token(w)
        await w.promote((await build(w)).release.id)
        await tell(sender)
        assert (await told(w, "github")).answer == "github.com cannot be reached"


@pytest.mark.parametrize(
    ("repository", "sha", "host"),
    [
        (REPOSITORY, "", "github.com"),
        ("", SHA, "github.com"),
        ("https://gitlab.com/acme/web", SHA, "gitlab.com"),
        (REPOSITORY, SHA, "github.acme.com"),
        ("https://github.com/acme/../shop/web", SHA, "github.com"),
        ("https://github.com/acme/..", SHA, "github.com"),
        ("https://github.com/acme/web/deployments", SHA, "github.com"),
    ],
)
async def test_nobody_is_told_of_what_lies_elsewhere_or_nowhere(w: World, repository, sha, host):
    async with github(SHA) as (at, api), telling(w, github=api) as sender:
        await give_token(w, host=host)
        await w.promote((await build(w, repository=repository, sha=sha)).release.id)
        await tell(sender)
        assert at.asked == []
        known = await told(w, "github")
        assert (known.waiting, known.dropped, known.delivered) == (0, 0, 0)


async def test_without_a_token_nothing_is_even_kept(w: World):
    await w.promote((await build(w)).release.id)
    assert (await told(w, "github")).waiting == 0


async def test_what_was_superseded_before_its_verdict_is_inactive(w: World):
    async with github(SHA) as (at, api), telling(w, github=api) as sender:
        await give_token(w)
        first = await w.ask((await build(w)).release.id)
        second = await w.ask((await build(w)).release.id, force=True)
        await w.end(second.promotion.id)
        await tell(sender)
        assert (await w.store.read.promotion(first.promotion.id)).phase == "Superseded"
        by_promotion = {each["payload"]["promotion"]: each["id"] for each in at.deployments}
        assert states(at, by_promotion[first.promotion.id])[-1] == "inactive"
        assert states(at, by_promotion[second.promotion.id])[-1] == "success"


@pytest.mark.parametrize(
    ("host", "api"),
    [
        ("github.com", "https://api.github.com"),
        ("acme.ghe.com", "https://api.acme.ghe.com"),
        ("github.acme.com", "https://github.acme.com/api/v3"),
        ("gitlab.com", ""),
        ("git.acme.com", ""),
    ],
)
def test_where_the_api_of_a_host_is(host, api):
    assert api_of(host) == api


@pytest.mark.parametrize(
    ("payload", "found"),
    [('{"promotion":"P1"}', "P1"), ({"promotion": "P1"}, "P1"), ("", None), ("[]", None), (None, None)],
)
def test_a_payload_is_an_object_or_its_text(payload, found):
    assert _payload({"payload": payload}).get("promotion") == found


@pytest.mark.parametrize("made", [{}, {"id": "7"}, {"id": None}, [], None])
def test_a_deployment_without_a_number_is_none(made):
    with pytest.raises(_Refused, match="does not speak GitHub's JSON"):
        _number("github.com", made)
