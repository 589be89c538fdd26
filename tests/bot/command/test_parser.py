"""The grammar of `/convox …`: what each text means, and what is said of one that means nothing."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.account_forms import AddGitAccount, AddRegistry
from bot.command.build_forms import BuildForm
from bot.command.commands import (
    AppInfo,
    AppParams,
    Approve,
    BuildGit,
    BuildInfo,
    BuildLogs,
    Cancel,
    CancelApp,
    CancelBuild,
    CheckRelease,
    CreateApp,
    CreateReleaseFrom,
    Decline,
    DiffReleases,
    Env,
    EnvGet,
    EnvSet,
    EnvUnset,
    FreezeApp,
    Help,
    ImportImage,
    Link,
    ListApps,
    ListBuilds,
    ListGitAccounts,
    ListRegistries,
    ListReleases,
    ListWaiting,
    LockApp,
    Promote,
    ReleaseHistory,
    ReleaseInfo,
    ReleaseManifest,
    RemoveGitAccount,
    RemoveRegistry,
    RetryBuild,
    Rollback,
    Stats,
    UnfreezeApp,
    Unlink,
    WhoAmI,
    Why,
)
from bot.command.forms import DeleteApp, EnvEdit, EnvSetForm
from bot.command.freeze_forms import FreezeForm
from bot.command.parser import hints, parse
from bot.command.release_forms import PromoteForm, RollbackForm
from core.errors import Invalid, UserError
from core.policy.calendar import ZonedTime, parse_time


def until(text: str, zone: str = "") -> ZonedTime:
    time = parse_time(text)
    assert time is not None
    return ZonedTime(time=time, zone=zone)


R, B, P = "RABCDEFGHIJ", "BABCDEFGHIJ", "PABCDEFGHIJ"


def asked(text: str, linked_app: str | None = "web"):
    return parse(text, linked_app=linked_app)


def refused(text: str, linked_app: str | None = "web", *, slack: bool = True) -> Invalid:
    with pytest.raises(Invalid) as caught:
        parse(text, linked_app=linked_app, slack=slack)
    return caught.value


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Help()),
        ("help", Help()),
        ("help Env Set", Help(topic="env set")),
        ("releases --help", Help(topic="releases")),
        ("--help", Help()),
        ("releases", ListReleases(app="web")),
        ("releases -l 5", ListReleases(app="web", limit=5)),
        ("releases -l5", ListReleases(app="web", limit=5)),
        ("releases --limit=5 --app=api", ListReleases(app="api", limit=5)),
        (f"releases info {R}", ReleaseInfo(app="web", release=R)),
        (f"releases info {R} --reveal", ReleaseInfo(app="web", release=R, reveal=True)),
        (f"releases diff {R}", DiffReleases(app="web", release=R)),
        (f"releases diff {R} RZZZZZZZZZZ", DiffReleases(app="web", base=R, release="RZZZZZZZZZZ")),
        ("releases history", ReleaseHistory(app="web")),
        ("stats", Stats(app="web")),
        ("stats --since 7d", Stats(app="web", seconds=7 * 86_400)),
        (
            "releases history -l 3 --at 2026-01-31T15:00+01:00",
            ReleaseHistory(app="web", limit=3, at=datetime(2026, 1, 31, 14, tzinfo=UTC)),
        ),
        (
            "releases history --at 2026-01-31",
            ReleaseHistory(app="web", at=datetime(2026, 1, 31, tzinfo=UTC)),
        ),
        (
            f"releases create-from --build-from {R} --use-active-release-env",
            CreateReleaseFrom(app="web", build_from=R),
        ),
        (
            f"releases create-from --use-active-release-build --env-from {R} --promote",
            CreateReleaseFrom(app="web", env_from=R, promote=True),
        ),
        ("check", CheckRelease(app="web")),
        (f"check {R}", CheckRelease(app="web", release=R)),
        (f"releases manifest {R}", ReleaseManifest(app="web", release=R)),
        ("releases promote", Promote(app="web")),
        ("releases promote --ask", PromoteForm(app="web")),
        ("releases rollback", RollbackForm(app="web")),
        (
            "releases rollback RABCDEFGHIJ --env now",
            Rollback(app="web", release="RABCDEFGHIJ", variables="now"),
        ),
        (f"releases promote {R} --force", Promote(app="web", release=R, force=True)),
        (f"releases promote {R} --overwrite", Promote(app="web", release=R, overwrite=True)),
        (f"releases promote {R} --force=false", Promote(app="web", release=R)),
        (f"releases promote {R} at 18:00", Promote(app="web", release=R, at="18:00")),
        ("releases promote AT tomorrow 9:00", Promote(app="web", at="tomorrow 9:00")),
        (f"releases promote {R} --queue", Promote(app="web", release=R, queue=True)),
        (f'releases promote {R} --anyway "all is well"', Promote(app="web", release=R, anyway="all is well")),
        (f"releases rollback {R}", Rollback(app="web", release=R)),
        ("env", Env(app="web")),
        ("env --reveal", Env(app="web", reveal=True)),
        ("env get KEY", EnvGet(app="web", key="KEY")),
        ("env set A=1 B=x=y", EnvSet(app="web", pairs=(("A", "1"), ("B", "x=y")))),
        ("env set A= --promote", EnvSet(app="web", pairs=(("A", ""),), promote=True)),
        ("env set log.level=x a-b=y", EnvSet(app="web", pairs=(("log.level", "x"), ("a-b", "y")))),
        ("env set A=1 --replace", EnvSet(app="web", pairs=(("A", "1"),), replace=True)),
        (
            f"env set A=1 -p --overwrite --release {R} --id",
            EnvSet(app="web", pairs=(("A", "1"),), promote=True, overwrite=True, release=R, with_id=True),
        ),
        ("env set A", EnvSetForm(app="web", key="A")),
        ("env set `A` --replace -p", EnvSetForm(app="web", key="A", replace=True, promote=True)),
        ("env set", EnvSetForm(app="web")),
        ("env edit", EnvEdit(app="web")),
        (f"env --release {R} --id", Env(app="web", release=R, with_id=True)),
        (f"env get A --release {R}", EnvGet(app="web", key="A", release=R)),
        (
            f"releases create-from --use-active-release-build --env-from {R} -p --overwrite",
            CreateReleaseFrom(app="web", env_from=R, promote=True, overwrite=True),
        ),
        ("env set A=1 -p", EnvSet(app="web", pairs=(("A", "1"),), promote=True)),
        ("env unset A B A --promote", EnvUnset(app="web", keys=("A", "B"), promote=True)),
        ("builds", ListBuilds(app="web")),
        (f"builds logs {B}", BuildLogs(app="web", build=B)),
        (f"builds cancel {B}", CancelBuild(app="web", build=B)),
        ("builds import-image reg.example/web:v2", ImportImage(app="web", image="reg.example/web:v2")),
        (
            'builds import-image x@sha256:0 -s Web -d "by  hand"',
            ImportImage(app="web", image="x@sha256:0", service="web", description="by hand"),
        ),
        (f"builds retry {B}", RetryBuild(app="web", build=B)),
        ("build", BuildForm(app="web")),
        ('build -d "mend  the cart"', BuildForm(app="web", description="mend the cart")),
        ("deploy --force --overwrite", BuildForm(app="web", promote=True, force=True, overwrite=True)),
        (f"builds info {B}", BuildInfo(app="web", build=B)),
        ("apps", ListApps()),
        ("apps create new-app", CreateApp(name="new-app")),
        ("apps info", AppInfo(app="web")),
        ("apps info api", AppInfo(app="api")),
        ("apps delete web", DeleteApp(app="web")),
        ("apps delete Web --yes WEB", DeleteApp(app="web", yes="web")),
        (
            "build --git <https://github.com/shop/web> --ref feature/x_y -m a/b.yml -d mine --no-cache",
            BuildGit(
                app="web",
                url="https://github.com/shop/web",
                ref="feature/x_y",
                manifest="a/b.yml",
                description="mine",
                no_cache=True,
            ),
        ),
        (
            "deploy --git https://github.com/shop/web --build-args A=x,y --build-args B= --build-args A=2 --only-newest",
            BuildGit(
                app="web",
                url="https://github.com/shop/web",
                build_args=(("A", "2"), ("B", "")),
                only_newest=True,
                promote=True,
            ),
        ),
        ("git", ListGitAccounts(app="web")),
        ("git add <http://github.com|github.com>", AddGitAccount(app="web", host="github.com")),
        ("git add gitlab.com bot", AddGitAccount(app="web", host="gitlab.com", user="bot")),
        ("git remove github.com", RemoveGitAccount(app="web", host="github.com")),
        ("registries", ListRegistries(app="web")),
        ("registries add ghcr.io bot", AddRegistry(app="web", host="ghcr.io", user="bot")),
        ("registries rm <http://ghcr.io|ghcr.io>", RemoveRegistry(app="web", host="ghcr.io")),
        ("apps lock", LockApp(app="web", locked=True)),
        ("apps unlock api", LockApp(app="api", locked=False)),
        ("apps params", AppParams(app="web")),
        ("apps cancel", CancelApp(app="web")),
        ("apps cancel api", CancelApp(app="api")),
        ("apps cancel paymentsapi", CancelApp(app="paymentsapi")),
        (f"cancel {P}", Cancel(promotion=P)),
        (f"cancel {P.lower()} -a api", Cancel(promotion=P, app="api")),
        (f"approve {P}", Approve(promotion=P)),
        (f"decline {P}", Decline(promotion=P)),
        ("waiting", ListWaiting()),
        ("whoami", WhoAmI()),
        (f"why {R} -a shop", Why(app="shop", release=R)),
        ("why -a shop", Why(app="shop")),
        ("unfreeze *", UnfreezeApp(app="*")),
        ("unfreeze -a shop", UnfreezeApp(app="shop")),
        ('freeze shop "the launch"', FreezeApp(app="shop", reason="the launch")),
        ('freeze "the launch" -a shop', FreezeApp(app="shop", reason="the launch")),
        ("freeze * until 18:00 the launch", FreezeApp(app="*", reason="the launch", until=until("18:00"))),
        (
            'freeze until Mon 08:00 Europe/Berlin "x y" -a shop',
            FreezeApp(app="shop", reason="x y", until=until("Mon 08:00", "Europe/Berlin")),
        ),
        (
            'freeze shop until 2026-01-31T14:00Z "x"',
            FreezeApp(app="shop", reason="x", until=until("2026-01-31 14:00", "UTC")),
        ),
        (
            "freeze from 18:00 until Mon 08:00 UTC the launch -a shop",
            FreezeApp(
                app="shop", reason="the launch", begins=until("18:00"), until=until("Mon 08:00", "UTC")
            ),
        ),
        ("freeze shop until 18:00 -- UTC", FreezeApp(app="shop", reason="UTC", until=until("18:00"))),
        (
            "freeze shop until 18:00 UTC -- UTC",
            FreezeApp(app="shop", reason="UTC", until=until("18:00", "UTC")),
        ),
        ('freeze shop until 18:00 "UTC"', FreezeApp(app="shop", reason="UTC", until=until("18:00"))),
        (
            "freeze shop until 18:00 UTC down",
            FreezeApp(app="shop", reason="down", until=until("18:00", "UTC")),
        ),
        ("freeze shop -- until tomorrow", FreezeApp(app="shop", reason="until tomorrow")),
        ("freeze -a shop -- from here on", FreezeApp(app="shop", reason="from here on")),
        (
            "freeze shop until Mon 08:00 -- 14:00 it is",
            FreezeApp(app="shop", reason="14:00 it is", until=until("Mon 08:00")),
        ),
        ("freeze", FreezeForm(app="web")),
        (
            f'releases promote {R} -a shop --break-glass "it is down"',
            Promote(app="shop", release=R, break_glass="it is down"),
        ),
        (f"decline {P} not today", Decline(promotion=P, reason="not today")),
        (f'decline {P} "not today"', Decline(promotion=P, reason="not today")),
        ("link api", Link(app="api")),
        ("unlink", Unlink(app="web")),
    ],
)
def test_a_command_is_read_as_it_is_meant(text, command):
    assert asked(text) == command


@pytest.mark.parametrize(
    "text",
    [
        f"-a api releases info {R}",
        f"releases -a api info {R}",
        f"releases info -a api {R}",
        f"releases info {R} --app api",
        f"releases info {R} --app=api",
        f"releases info {R} -a=api",
        f"releases info {R} -app api",
        f"releases info {R} –a api",
        f"releases info {R} —app api",
        f"releases info {R} -a API",
        f"releases info {R.lower()} -a api",
        f"Releases Info `{R}` -a *api*",
        f"*releases* _info_ ~{R}~ -a “api”",
        f"releases\u00a0info\u00a0{R}\u200b -a\u00a0api",
        f"/convox releases info {R} -a api",
        f"convox releases info {R} -a api",
        f"releases info -a api -- {R}",
        f"releases info “{R}” -a 'api'",
    ],
)
def test_one_command_may_be_typed_in_many_ways(text):
    assert asked(text) == ReleaseInfo(app="api", release=R)


@pytest.mark.parametrize(
    "flag", ["--force", "—force", "–force", "-force", "--FORCE", "`--force`", "*—force*"]
)
def test_dashes_of_phones_and_markers_of_editors_do_not_hide_a_flag(flag):
    assert asked(f"releases promote {flag}") == Promote(app="web", force=True)


@pytest.mark.parametrize("quoted", ["“it’s back”", '"it’s back"', "'it’s back'", "„it’s back“"])
def test_a_reason_may_stand_in_any_quotes(quoted):
    assert asked(f"releases promote --anyway {quoted}") == Promote(app="web", anyway="it’s back")


def test_a_value_keeps_its_typographic_characters_and_the_answer_warns_by_name():
    command = asked("env set GREETING=“hello” DASH=a—b PLAIN=x")

    assert command.pairs == (("GREETING", "“hello”"), ("DASH", "a—b"), ("PLAIN", "x"))
    assert len(command.warnings) == 2
    assert command.warnings[0].startswith("GREETING holds typographic quotes")
    assert command.warnings[1].startswith("DASH holds typographic dashes")


def test_a_backslash_that_was_read_as_in_a_shell_is_warned_of():
    command = asked(r"env set PATH_=C:\dir")

    assert command.pairs == (("PATH_", "C:dir"),)
    assert "single quotes keep it" in command.warnings[0]
    assert asked(r"env set PATH_='C:\dir'").pairs == (("PATH_", r"C:\dir"),)


def test_values_come_as_they_were_typed_before_slack_encoded_them():
    sent = "env set URL=<https://x.host/?a=1&amp;b=2> HTML='&lt;b&gt;' MAIL=<mailto:a@b.host|a@b.host> WHO=<@U1|ana>"

    assert dict(asked(sent).pairs) == {
        "URL": "https://x.host/?a=1&b=2",
        "HTML": "<b>",
        "MAIL": "a@b.host",
        "WHO": "@ana",
    }


def test_from_a_terminal_nothing_of_slack_is_undone():
    command = parse("env set 'A=&amp; <x|y>' -a web", slack=False)

    assert command == EnvSet(app="web", pairs=(("A", "&amp; <x|y>"),))


def test_a_value_may_have_many_lines():
    assert asked("env set KEY='one\ntwo'").pairs == (("KEY", "one\ntwo"),)


def test_whole_pairs_may_stand_in_quotes_or_backticks():
    assert asked("env set “A=x y” `B=z`").pairs == (("A", "x y"), ("B", "z"))


def test_a_reason_for_declining_is_taken_as_it_was_typed():
    text = f'decline {P} it doesn\'t work, do not --force it: "twice" —ana'

    assert asked(text).reason == 'it doesn\'t work, do not --force it: "twice" —ana'


def test_a_lone_dash_in_a_reason_is_a_dash():
    assert asked(f"decline {P} too late — sorry") == Decline(promotion=P, reason="too late — sorry")
    assert asked(f"/convox decline {P} — too late") == Decline(promotion=P, reason="— too late")
    assert asked(f"decline {P} -- -a is no flag here") == Decline(promotion=P, reason="-a is no flag here")


def test_a_variable_that_is_given_twice_is_named():
    command = parse("env set D=1 E=1 D=2 -a api")
    assert command.warnings == ("D is given more than once: the last one counts",)


@pytest.mark.parametrize("slack", [True, False])
def test_a_typographic_quote_in_a_value_is_named_wherever_it_was_typed(slack):
    (warning,) = parse("env set Q=“x” -a api", slack=slack).warnings
    assert warning.startswith("Q holds ")
    assert "“" not in warning


def test_the_app_may_stand_anywhere_in_a_decline():
    assert asked(f"decline {P} too risky -a api") == Decline(promotion=P, reason="too risky", app="api")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("releases info", "1 arg required"),
        (f"releases info {R} {R}", "1 arg required"),
        ("releases rollback RABCDEFGHIJ RABCDEFGHIJ", "no more than 1 arg expected"),
        (f"releases promote {R} {R}", "no more than 1 arg expected"),
        ("env get", "1 arg required"),
        ("env unset", "at least 1 arg required"),
        ("approve", "1 arg required"),
        ("decline", "at least 1 arg required"),
        ("apps create", "1 arg required"),
        ("apps info a b", "no more than 1 arg expected"),
        ("link", "1 arg required"),
        ("unlink web", "no args expected"),
    ],
)
def test_a_wrong_number_of_arguments_is_said_in_convox_words_with_the_usage(text, sentence):
    error = refused(text)

    assert str(error) == sentence
    assert "usage: " in str(error.hint)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("rollbak", "unknown command: rollbak", "releases rollback RELEASE"),
        ("promote", "unknown command: promote", "releases promote [RELEASE]"),
        ("releases promot", "unknown command: releases promot", "releases promote [RELEASE]"),
        ("relases", "unknown command: relases", "releases"),
        ("env A=1", "unknown command: env a", "env set KEY=VALUE"),
        ("qwertz", "unknown command: qwertz", "`help` lists the commands"),
        ("releases --limt 3", "unknown flag: --limt", "did you mean --limit?"),
        (f"releases info {R} --force", "releases info has no --force", "usage: `releases info"),
        ("releases -l many", "not a number of rows: many", "1 to 1000"),
        ("releases -l 0", "not a number of rows: 0", "1 to 1000"),
        ("releases -l", "-l needs a number", "-l 20"),
        ("releases -a", "-a needs an app", "-a myapp"),
        ("releases -a x -a y", "--app is given twice", "leave one"),
        ("apps info x -a y", "two different apps: x and y", "leave one"),
        (f"releases info {B}", f"not a release id: {B}", "the id of a build"),
        ("releases info R123", "not a release id: R123", "R and ten letters"),
        (f"approve {R}", f"not a promotion id: {R}", "the id of a release"),
        (f"releases promote {R} at", "at needs a time", "at 18:00"),
        (f"releases promote {R} --queue --force", "--queue waits for its turn", "leave --force"),
        (f"releases promote {R} at 18:00 --queue", "--queue waits for its turn", "leave --force"),
        ("releases promote --anyway", "--anyway needs a reason", "--anyway"),
        ("releases promote --anyway ''", "--anyway needs a reason", "--anyway"),
        (
            "releases promote --anyway we must",
            "only the first word after --anyway was taken as the reason",
            "in quotes",
        ),
        ("releases promote --force=maybe", "--force is either given or not", "--force"),
        ("env set 'A=1", "a quote is not closed", "quotes of the other kind"),
        ("env set A=1 word", "not KEY=VALUE: argument 2", 'KEY="two words"'),
        ("env set 1A=1", "not KEY=VALUE: argument 1", "letters, digits and _ . -"),
        ("env get A/B", "not a name of a variable: A/B", "letters, digits and _ . -"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_was_probably_meant(text, said, hint):
    error = refused(text)

    assert str(error) == said
    assert hint in str(error.hint)


def test_without_an_app_the_answer_tells_two_ways_to_name_it():
    error = refused("releases", linked_app=None)

    assert str(error) == "which app? add -a APP, or link this channel: `link APP`"


def test_a_terminal_is_not_told_to_link_a_channel():
    assert str(refused("releases", linked_app=None, slack=False)) == "which app? add -a APP"


def test_a_terminal_is_told_where_its_own_help_is():
    assert str(refused("qwertz", slack=False).hint) == "`help` lists the commands"


def test_a_new_app_is_never_the_linked_one_by_accident():
    assert str(refused("apps create", linked_app="web")) == "1 arg required"


def test_a_text_beyond_all_measure_is_refused_at_once():
    assert str(refused("env set A=" + "x" * 100_000)).startswith("that is too long")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "env set GOOD=1 s3cr3t",
            "env set GOOD=a 1s3cr3t=b",
            "env A=s3cr3t",
            "--AB=s3cr3t",
            "env get A=s3cr3t",
        ),
        *(
            "releases promote A=s3cr3t",
            "releases create-from --build-from A=s3cr3t --env-from x",
            "cancel A=s3cr3t",
        ),
        *(
            "releases -l A=s3cr3t",
            "releases history --at A=s3cr3t",
            "apps info A=s3cr3t",
            "releases -a A=s3cr3t",
        ),
    ],
)
def test_a_refusal_never_repeats_what_may_be_half_a_password(text):
    error = refused(text)

    assert "s3cr3t" not in f"{error}{error.hint}"


def test_a_topic_of_the_help_is_no_place_for_a_value():
    assert asked("help env set A=s3cr3t") == Help(topic="env set a")


def test_values_are_in_no_repr():
    assert "s3cr3t" not in repr(asked("env set A=s3cr3t"))


@pytest.mark.parametrize("text", ["cancel", "cancel myapp"])
def test_whoever_types_cancel_in_a_hurry_is_told_how_to_stop_what_runs(text):
    assert str(refused(text).hint) == (
        "`apps cancel [APP]` stops whatever is rolling out; usage: `cancel PROMOTION`"
    )


def test_a_rollback_takes_over_by_itself_and_says_that_force_is_not_needed():
    command = asked(f"releases rollback {R} --force")

    assert command.release == R
    assert "not needed" in command.warnings[0]


def test_the_composer_is_given_every_command_once_with_what_it_does():
    usages = [usage for usage, _ in hints()]

    assert len(usages) == len(set(usages)) == 58
    assert all(does for _, does in hints())


def answered(text: str, **how) -> bool:
    """Whether the text is a command, or refused with a sentence that a person can read."""
    try:
        parse(text, **how)
    except UserError as error:
        return 0 < len(str(error)) < 300
    return True


@given(st.text(), st.booleans())
def test_whatever_is_typed_there_is_an_answer(text, slack):
    assert answered(text, linked_app="web", slack=slack)


def test_variables_of_a_rollback_are_those_of_then_or_of_now():
    for text, wanted in (("then", "then"), ("NOW", "now")):
        command = parse(f"releases rollback RABCDEFGHIJ --env {text} -a web")
        assert isinstance(command, Rollback)
        assert command.variables == wanted
        assert parse(command.typed, slack=False) == command
    with pytest.raises(Invalid, match="not then or now: later"):
        parse("releases rollback RABCDEFGHIJ --env later -a web")
    with pytest.raises(Invalid, match="1 arg required"):
        parse("releases rollback -a web", slack=False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("build --ref main", "--ref: of a build of git only"),
        ("deploy --no-cache -m x.yml", "--manifest, --no-cache: of a build of git only"),
        ("build --git https://h/a/b --build-args A", "not KEY=VALUE: A"),
        ("deploy --git https://h/a/b --force", "--force is of what rolls out now, and this is built first"),
        ("build --git", "--git needs an address"),
    ],
)
def test_what_is_said_of_git_and_of_no_other_build_is_refused_apart(text: str, says: str):
    with pytest.raises(Invalid, match=f"^{re.escape(says)}"):
        parse(text, linked_app="web")
