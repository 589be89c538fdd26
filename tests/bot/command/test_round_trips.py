"""Every command that a message prints means the command it was printed for."""

import string
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command import commands as ask
from bot.command.account_forms import AddGitAccount, AddRegistry
from bot.command.build_forms import BuildForm
from bot.command.button_value import text_of, value_of
from bot.command.forms import DeleteApp, EnvEdit, EnvSetForm
from bot.command.lexer import encode
from bot.command.parser import parse
from bot.command.release_forms import DeclineForm, PromoteForm, RollbackForm
from core.errors import Invalid

letters = st.text(string.ascii_uppercase, min_size=10, max_size=10)
releases, builds, promotions = (letters.map(prefix.__add__) for prefix in "RBP")
apps = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,10}", fullmatch=True)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
hosts = st.from_regex(r"[a-z]{1,5}\.[a-z]{2,3}(:[0-9]{2,4})?", fullmatch=True)
limits = st.integers(1, 1000)
moments = st.datetimes(timezones=st.just(UTC))
plain_reasons = st.lists(st.text(string.ascii_letters + ",.!?", min_size=1), min_size=1, max_size=5).map(
    " ".join
)

change = {
    "app": apps,
    "release": st.none() | releases,
    "promote": st.just(True),
    "overwrite": st.booleans(),
    "with_id": st.booleans(),
}
commands = st.one_of(
    st.builds(ask.ListReleases, app=apps, limit=limits),
    st.builds(ask.DiffReleases, app=apps, release=releases, base=st.none() | releases),
    st.builds(ask.Stats, app=apps, seconds=st.integers(1, ask.STATS_SECONDS)),
    st.builds(ask.ReleaseHistory, app=apps, limit=limits, at=st.none() | moments),
    st.builds(
        ask.CreateReleaseFrom,
        app=apps,
        build_from=st.none() | releases,
        env_from=st.none() | releases,
        promote=st.booleans(),
    ),
    st.builds(ask.ReleaseInfo, app=apps, release=releases, reveal=st.booleans()),
    st.builds(ask.CheckRelease, app=apps, release=releases | st.none()),
    st.builds(ask.ReleaseManifest, app=apps, release=releases),
    st.builds(
        ask.Promote,
        app=apps,
        release=st.none() | releases,
        force=st.booleans(),
        overwrite=st.booleans(),
        anyway=st.none() | plain_reasons,
    ),
    st.builds(ask.Rollback, app=apps, release=releases),
    st.builds(ask.Env, app=apps, reveal=st.booleans(), release=st.none() | releases, with_id=st.booleans()),
    st.builds(ask.EnvGet, app=apps, key=keys, release=st.none() | releases),
    st.builds(
        ask.EnvSet,
        pairs=st.lists(st.tuples(keys, values), min_size=1, max_size=4).map(tuple),
        replace=st.booleans(),
        **change,
    ),
    st.builds(ask.EnvUnset, keys=st.lists(keys, min_size=1, unique=True).map(tuple), **change),
    st.builds(EnvSetForm, key=st.none() | keys, replace=st.booleans(), **change),
    st.builds(BuildForm, app=apps, description=st.just("") | plain_reasons),
    st.builds(
        BuildForm,
        app=apps,
        description=st.just("") | plain_reasons,
        promote=st.just(True),
        force=st.booleans(),
        overwrite=st.booleans(),
    ),
    st.builds(ask.BuildLogs, app=apps, build=builds),
    st.builds(ask.CancelBuild, app=apps, build=builds),
    st.builds(
        ask.ImportImage,
        app=apps,
        image=hosts.map("{}/web:v1".format),
        service=st.none() | apps,
        description=st.just("") | plain_reasons,
    ),
    st.builds(ask.RetryBuild, app=apps, build=builds),
    st.builds(EnvEdit, lines=st.none(), seen=st.none(), **change),
    st.builds(ask.ListBuilds, app=apps, limit=limits),
    st.builds(ask.BuildInfo, app=apps, build=builds),
    st.builds(ask.ListServices, app=apps),
    st.builds(ask.ListTimers, app=apps),
    st.builds(ask.ListResources, app=apps),
    st.builds(ask.ListProcesses, app=apps, service=st.none() | apps),
    st.builds(ask.ListScales, app=apps, service=st.none() | apps),
    st.builds(ask.SetCount, app=apps, service=apps, count=st.integers(0, 1000)),
    st.builds(ask.Restart, app=apps, service=st.none() | apps),
    st.builds(ask.FailureLogs, app=apps, promotion=promotions),
    st.builds(
        ask.Logs,
        app=apps,
        service=st.none() | apps,
        limit=limits,
        since=st.none() | st.integers(1, 30 * 86_400),
        containing=st.just("") | plain_reasons,
    ),
    st.builds(ask.ListApps),
    st.builds(ask.CreateApp, name=apps),
    st.builds(ask.AppInfo, app=apps),
    st.builds(ask.CancelApp, app=apps),
    st.builds(ask.LockApp, app=apps, locked=st.booleans()),
    st.builds(ask.AppParams, app=apps),
    st.builds(ask.ListRegistries, app=apps),
    st.builds(ask.ListGitAccounts, app=apps),
    st.builds(ask.RemoveGitAccount, app=apps, host=hosts),
    st.builds(AddGitAccount, app=apps, host=hosts, user=st.sampled_from(["", "bot", "_json_key"])),
    st.builds(
        ask.BuildGit,
        app=apps,
        url=st.sampled_from(["https://github.com/shop/web", "https://git.example:8443/a/b_c.git"]),
        ref=st.sampled_from(["", "main", "feature/x_y", "v1.2"]),
        manifest=st.sampled_from(["", "services/web/convox.yml"]),
        description=st.just("") | plain_reasons,
        build_args=st.sampled_from([(), (("A", "1"), ("B", "x,y=z"))]),
        no_cache=st.booleans(),
        only_newest=st.booleans(),
        promote=st.booleans(),
    ),
    st.builds(ask.RemoveRegistry, app=apps, host=hosts),
    st.builds(AddRegistry, app=apps, host=hosts, user=st.from_regex(r"[a-z0-9$+_.-]{1,9}", fullmatch=True)),
    apps.flatmap(lambda app: st.builds(DeleteApp, app=st.just(app), yes=st.none() | st.just(app))),
    st.builds(ask.Approve, promotion=promotions, app=st.none() | apps),
    st.builds(ask.Decline, promotion=promotions, reason=st.just("") | plain_reasons, app=st.none() | apps),
    st.builds(ask.Cancel, promotion=promotions, app=st.none() | apps),
    st.builds(ask.Link, app=apps),
    st.builds(ask.Unlink, app=apps),
    st.builds(ask.Help, topic=st.sampled_from(["", "env set", "releases"])),
)


@given(commands)
def test_a_command_from_a_terminal_comes_back_as_itself(command):
    assert replace(parse(command.typed, slack=False), warnings=()) == command


def says_it_all(command):
    """Tell whether nothing is left to be chosen: in Slack a promotion of nothing in particular asks in a dialog."""
    return not (
        isinstance(command, ask.Promote) and not (command.release or command.force or command.overwrite)
    )


@given(commands.filter(says_it_all))
def test_a_command_typed_in_slack_comes_back_as_itself(command):
    assert replace(parse(encode(command.typed)), warnings=()) == command


@given(commands.filter(says_it_all), st.integers(0, 10**6))
def test_a_button_comes_back_as_the_command_that_it_holds(command, revision):
    text = text_of(value_of(command, revision))
    assert text == encode(command.typed)
    assert replace(parse(text), warnings=()) == command


def test_a_user_of_a_registry_may_begin_with_an_underscore():
    command = AddRegistry(app="web", host="gcr.io", user="_json_key")
    assert parse("registries add gcr.io _json_key -a web") == command


def test_what_is_no_value_of_a_button_is_not_read_as_one():
    for value in ("", "7", "7 ", "approve PABCDEFGHIJ", "PABCDEFGHIJ:7", "-1 approve PABCDEFGHIJ"):
        assert text_of(value) is None, value


@given(
    st.builds(DeclineForm, promotion=promotions, app=st.none() | apps)
    | st.builds(RollbackForm, app=apps, release=releases)
    | st.builds(
        PromoteForm, app=apps, release=st.none() | releases, force=st.booleans(), overwrite=st.booleans()
    )
)
def test_what_asks_in_a_dialog_comes_back_as_itself_in_slack_and_in_a_terminal_where_that_can_ask(command):
    assert parse(encode(command.typed)) == command
    if isinstance(command, PromoteForm) and command.release:
        # One question is left at most, which a terminal can ask.
        assert parse(command.typed, slack=False) == command
        return
    with pytest.raises(Invalid, match="a terminal has none"):
        parse(command.typed, slack=False)
