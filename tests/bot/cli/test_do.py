"""`convox-bot do`: what a person at a terminal sees, against the real API."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.client import RETRY_PAUSES, ConnectionLost, RackClient, is_verdict
from bot.cli.live_line import Awaited
from bot.cli.main import main
from bot.cli.rack_url import CliError, RackUrl, is_loopback
from bot.cli.terminal import AWAITING_APPROVAL, _joined, do
from bot.command.commands import EnvSet
from bot.command.parser import parse
from core.policy.authorization import parse_policy
from core.promotion import Phase
from tests.bot.api.asking import policy_of
from tests.bot.api.serving import serving
from tests.core.world import BOB, ONE_APPROVAL, by
from tests.fakes import broken


@pytest.fixture
async def api(tmp_path, monkeypatch):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        yield made


async def typed(*words):
    """Run `convox-bot do …` beside the server, as another process would."""
    return await asyncio.to_thread(main, ["do", *words])


async def test_a_promotion_is_followed_to_ok_in_the_documented_shape(api, capsys):
    made = await api.world.build()

    status = await typed("releases", "promote", made.release.id, "-a", "myapp")

    first, *lines, last = capsys.readouterr().out.splitlines()
    promotion = (await api.store.read.promotions("myapp", 1))[0]
    assert status == 0
    assert first == f"Promoting {made.release.id}..."
    assert lines == await api.world.lines(promotion.id)
    assert last == "OK"


async def test_a_failed_promotion_ends_with_its_verdict_and_status_1(api, capsys):
    good = await api.world.good()
    made = await api.world.build()
    api.world.cluster.behaves[made.release.id] = lambda _: broken()

    status = await typed("releases", "promote", "-a", "myapp")

    out, err = capsys.readouterr()
    assert status == 1
    assert out.splitlines()[-1].startswith(f"ERROR: rolled back to {good}: ")
    assert err == ""


@pytest.mark.parametrize("flag", [("-o", "json"), ("--output", "json"), ("-ojson",), ("--output=json",)])
async def test_a_list_is_printed_as_json_for_programs(api, capsys, flag):
    assert await typed("apps", *flag) == 0
    out, err = capsys.readouterr()
    assert [app["name"] for app in json.loads(out)] == ["myapp"]
    assert err == ""


async def test_what_is_no_list_is_a_document_with_its_text(api, capsys):
    assert await typed("-o", "json", "env", "set", "A=b", "-a", "myapp") == 0
    assert json.loads(capsys.readouterr().out)["text"].startswith("Setting A... OK")


async def test_what_is_to_be_known_beside_data_goes_to_stderr(api, capsys):
    made = await api.world.build()
    assert await typed("releases", "info", made.release.id, "-a", "myapp", "-o", "json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["id"] == made.release.id
    assert json.loads(err)["note"].startswith("nobody outside of the cluster reaches web")


async def test_a_promotion_is_followed_in_objects_to_its_end(api, capsys):
    made = await api.world.build()
    assert await typed("releases", "promote", made.release.id, "-a", "myapp", "-o", "json") == 0
    first, *lines, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["promotion"].startswith("P")
    assert {line["phase"] for line in lines} == {"Pending", "Updating", "Running"}
    assert (last["ending"], last["cause"]) == ("OK", "")

    bad = await api.world.build()
    api.world.cluster.behaves[bad.release.id] = lambda _: broken()
    assert await typed("releases", "promote", bad.release.id, "-a", "myapp", "--output", "json") == 1
    promotion = json.loads(capsys.readouterr().out.splitlines()[0])["promotion"]
    assert await typed("follow", promotion, "-o", "json") == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ok"] is False


async def test_with_no_wait_the_promotion_is_in_the_document(api, capsys):
    made = await api.world.build()
    assert await typed("releases", "promote", made.release.id, "-a", "myapp", "--no-wait", "-o", "json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["phase"] == "Pending"
    assert json.loads(line)["release"] == made.release.id


async def test_behind_two_dashes_it_is_text(api, capsys):
    assert await typed("-o", "json") == 2
    assert await typed("apps", "--", "-o", "json") == 1
    assert "-o" in capsys.readouterr().err


async def test_a_plain_answer_ends_with_status_0(api, capsys):
    assert await typed("apps") == 0
    assert capsys.readouterr().out.startswith("APP")


async def test_a_refusal_goes_to_stderr_with_what_to_do_now(api, capsys):
    assert await typed("release", "promote") == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("ERROR: unknown command")
    assert err.splitlines()[1].startswith("did you mean")


async def test_what_was_done_before_a_refusal_is_shown_on_stdout(api, capsys):
    await api.world.ask((await api.world.build()).release.id)

    assert await typed("env", "set", "FOO=bar", "--promote", "-a", "myapp") == 1

    out, err = capsys.readouterr()
    assert out.startswith("Setting FOO... OK\nRelease: R")
    assert err.startswith("ERROR: app is currently updating")


async def test_it_waits_through_an_approval(api, capsys):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    await api.world.build()
    doing = asyncio.create_task(typed("releases", "promote", "-a", "myapp"))
    waiting = await _waiting(api)

    await api.world.decider.approve(by(BOB), waiting[0].id)

    assert await doing == 0
    assert capsys.readouterr().out.splitlines()[-1] == "OK"


async def _waiting(api):
    """Return what waits, as soon as something does."""
    while True:
        waiting = await api.store.read.awaiting("myapp")
        if waiting:
            return waiting
        await asyncio.sleep(0)


async def test_who_stops_watching_stops_nothing_else(api, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    await api.world.build()
    monkeypatch.setattr(RackClient, "follow", interrupted)

    assert await typed("releases", "promote", "-a", "myapp") == 130
    await api.world.idle()

    promotion = (await api.store.read.promotions("myapp", 1))[0]
    assert promotion.phase == "Running"
    assert f"{promotion.id} goes on without this terminal" in capsys.readouterr().err


async def test_without_waiting_it_says_whether_it_has_started(api, capsys):
    await api.world.build()
    started = await typed("releases", "promote", "-a", "myapp", "--no-wait")
    await api.world.idle()
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    await api.world.build()
    awaiting = await typed("--no-wait", "releases", "promote", "-a", "myapp")
    plain = await typed("apps", "--no-wait")

    assert (started, awaiting, plain) == (0, 3, 0)
    assert AWAITING_APPROVAL == Phase.AWAITING_APPROVAL
    assert "OK" not in capsys.readouterr().out.splitlines()


async def test_without_waiting_it_says_how_it_is_followed(api, capsys):
    await api.world.build()
    assert await typed("releases", "promote", "-a", "myapp", "--no-wait") == 0
    (promotion,) = await api.store.read.promotions("myapp", 9)
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"Promotion: {promotion.id}",
        f"convox-bot do follow {promotion.id}",
    ]
    await api.world.idle()


async def test_any_promotion_is_followed_from_its_first_line_any_number_of_times(api, capsys):
    promotion = await api.world.promote((await api.world.build()).release.id)
    seen = []
    for word in (promotion.id, promotion.id.lower()):
        assert await typed("follow", word) == 0
        seen.append(capsys.readouterr().out)
    assert seen[0] == seen[1]
    assert seen[0].splitlines()[0].endswith("system/k8s/atom/app Status: Running => Pending")
    assert seen[0].splitlines()[-1] == "OK"


async def test_who_was_interrupted_is_told_how_to_see_and_to_stop_it(api, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    promotion = await api.world.promote((await api.world.build()).release.id)
    monkeypatch.setattr(RackClient, "follow", interrupted)
    assert await typed("follow", promotion.id) == 130
    assert capsys.readouterr().err == (
        f"\n{promotion.id} goes on without this terminal: `convox-bot do follow {promotion.id}` shows it again,"
        f" `convox-bot do cancel {promotion.id}` stops it\n"
    )


@pytest.mark.parametrize("words", [(), ("RABCDEFGHIJ",), ("PABCDEFGHIJ", "x")])
async def test_what_is_no_promotion_is_not_followed(api, capsys, words):
    assert await typed("follow", *words) == 1
    assert capsys.readouterr().err.splitlines() == [
        "ERROR: which promotion?",
        "usage: convox-bot do follow PROMOTION",
    ]


async def test_a_promotion_that_is_not_there_is_said(api, capsys):
    assert await typed("follow", "PZZZZZZZZZZ") == 1
    assert "PZZZZZZZZZZ" in capsys.readouterr().err


async def test_what_stands_behind_two_dashes_is_text(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    promotion = (await api.world.ask((await api.world.build()).release.id)).promotion

    assert await typed("decline", promotion.id, "--", "use", "--no-wait", "instead") == 0

    assert str((await api.store.read.promotion(promotion.id)).reason) == "use --no-wait instead"


async def test_values_reach_the_bot_exactly(api, capsys):
    value = "a \"b\" 'c' \\n $x `y`\n-----END KEY-----\t“z”"

    await typed("env", "set", f"KEY={value}", "-a", "myapp")
    capsys.readouterr()
    assert await typed("env", "get", "KEY", "-a", "myapp") == 0

    assert capsys.readouterr().out == value + "\n"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_value_survives_being_joined_and_read(value):
    command = parse(_joined(["env", "set", f"KEY={value}", "-a", "myapp"]), slack=False)

    assert isinstance(command, EnvSet)
    assert command.pairs == (("KEY", value),)


async def test_what_is_not_text_is_refused_here(api, capsys):
    assert await typed("env", "set", "KEY=\udcff", "-a", "myapp") == 1
    assert "not UTF-8" in capsys.readouterr().err


async def test_a_wrong_token_is_a_sentence(api, monkeypatch, capsys):
    monkeypatch.setenv("RACK_URL", api.url.replace(api.token, "wrong"))

    assert await typed("apps") == 1
    assert "this token is not valid" in capsys.readouterr().err


async def test_a_stream_that_is_cut_goes_on_where_it_was(api, capsys):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    await api.world.build()
    paused = []
    loop = asyncio.get_running_loop()

    async def approve():
        (waiting,) = await api.store.read.awaiting("myapp")
        await api.world.decider.approve(by(BOB), waiting.id)

    def pause(seconds):
        paused.append(seconds)
        asyncio.run_coroutine_threadsafe(approve(), loop).result()

    doing = asyncio.create_task(asyncio.to_thread(do, ["releases", "promote", "-a", "myapp"], pause=pause))
    while not paused:
        await api.client.app.shutdown()
        await asyncio.sleep(0)

    assert await doing == 0
    out, err = capsys.readouterr()
    promotion = (await api.store.read.promotions("myapp", 1))[0]
    assert out.splitlines()[-len(await api.world.lines(promotion.id)) - 1 : -1] == await api.world.lines(
        promotion.id
    )
    assert "trying again" in err
    assert paused[0] == RETRY_PAUSES[0]


class Cut(RackClient):
    """A rack whose connections break as the test says: each gives some lines first."""

    def __init__(self, gives):
        super().__init__(RackUrl.read("http://convox:t@localhost"), pause=lambda _: None)
        self.gives, self.asked = list(gives), []

    def _lines(self, promotion, after, *, as_json=False, show=None):

        self.asked.append(after)
        yield from self.gives.pop(0) if self.gives else []
        raise ConnectionLost("cut")


def test_lines_are_asked_for_from_where_the_connection_broke():
    rack, noticed = Cut([["one", "two"], [], ["three"], ["OK"]]), list[str]()

    assert list(rack.follow("P", noticed.append)) == ["one", "two", "three", "OK"]
    assert rack.asked == [0, 2, 2, 3]
    assert noticed == ["cut; trying again", "localhost answers again; this goes on where it was"] * 2


def test_who_looks_on_sees_that_the_bot_is_awaited():
    shown = list[Awaited | None]()
    rack = Cut([["one"], [], ["OK"]])
    assert list(rack.follow("P", lambda _: None, show=shown.append)) == ["one", "OK"]
    assert shown == [
        Awaited(text="Waiting for localhost", seconds=seconds) for seconds in (0, RETRY_PAUSES[0])
    ]


class Older(RackClient):
    """A rack whose bot knows no lines with what is awaited."""

    def __init__(self, status=422):
        super().__init__(RackUrl.read("http://convox:t@localhost"))
        self.status = status

    def stream(self, path):
        if "format=live" in path:
            raise CliError("format is one of text, json", status=self.status)
        yield from ['{"number": 1, "text": "OK"}'] if "format=json" in path else ["OK"]


def test_an_older_bot_tells_its_lines_alone():
    shown = list[Awaited | None]()
    assert list(Older().follow("P", pytest.fail, show=shown.append)) == ["OK"]
    assert list(Older().live("/x?a=1", shown.append, older="json")) == [{"number": 1, "text": "OK"}]
    with pytest.raises(CliError):
        list(Older(403).live("/x?a=1", shown.append, older="json"))
    assert shown == []


def test_a_bot_that_does_not_come_back_is_given_up_with_what_is_true_of_the_rollout():
    rack = Cut([["one"]])

    with pytest.raises(CliError, match="does not answer any more") as refused:
        list(rack.follow("P", lambda _: None))

    assert refused.value.hint == (
        "the rollout goes on without this terminal: `convox-bot do follow P` shows it again"
    )
    assert len(rack.asked) == len(RETRY_PAUSES) + 1


@pytest.mark.parametrize("line", ["OK", "OK (not verified: nothing ran)", "ERROR: approval expired"])
def test_a_verdict_is_known_by_its_first_word(line):
    assert is_verdict(line)


@pytest.mark.parametrize("line", ["  OK", "OKAY", "  ERROR: x", "2026-01-01T00:00:00Z system/k8s/web OK"])
def test_nothing_else_is_a_verdict(line):
    assert not is_verdict(line)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "RACK_URL is not set"),
        ("myhost", "RACK_URL is not an http or https URL"),
        ("http://[::1", "RACK_URL is not an http or https URL"),
        ("https://convox:s3cret@host:port", "RACK_URL is not an http or https URL"),
        ("ftp://convox:s3cret@host", "RACK_URL is not an http or https URL"),
        ("https://:s3cret@host", "RACK_URL needs the user convox"),
        ("https://root:s3cret@host", "RACK_URL needs the user convox"),
        ("http://convox:s3cret@bot.example:3001", "in the clear"),
        ("http://convox:s3cret@localhost.evil.example", "in the clear"),
        ("http://convox:s3cret@10.0.0.1", "in the clear"),
    ],
)
def test_a_rack_url_that_may_not_be_used_is_refused_without_its_token(monkeypatch, capsys, url, sentence):
    monkeypatch.setenv("RACK_URL", url)

    assert main(["do", "apps"]) == 1

    err = capsys.readouterr().err
    assert sentence in err
    assert "s3cret" not in err


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_plain_http_stays_on_this_machine(host):
    assert is_loopback(host)


def test_a_rack_url_keeps_its_path_and_its_token_to_itself():
    url = RackUrl.read("https://convox:a%2Fb@host.example/rack/")

    assert (url.token, url.prefix, url.name, url.port) == ("a/b", "/rack", "host.example", None)
    assert "a/b" not in repr(url)


def test_nobody_there_is_a_sentence(monkeypatch, capsys, unused_tcp_port):
    monkeypatch.setenv("RACK_URL", f"http://convox:t@127.0.0.1:{unused_tcp_port}")

    assert main(["do", "apps"]) == 1
    assert f"127.0.0.1:{unused_tcp_port} cannot be reached: Connection refused" in capsys.readouterr().err


def test_without_words_it_says_how_it_is_used(capsys):
    for words in (["do"], ["do", "--no-wait"]):
        assert main(words) == 2
        assert "usage: convox-bot do" in capsys.readouterr().err


async def test_the_policy_holds_at_a_terminal_too(api, capsys):
    await api.world.build()
    api.world.policy = parse_policy(policy_of("view"))

    assert await typed("releases", "promote", "-a", "myapp") == 1
    assert "ERROR: you may not promote myapp" in capsys.readouterr().err
