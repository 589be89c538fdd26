"""The commands of `/convox`: how each begins, what it takes and the request it makes, in one table."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.command.arguments import Arguments
from bot.command.commands import (
    AppInfo,
    AppParams,
    Approve,
    BuildInfo,
    BuildLogs,
    Cancel,
    CancelApp,
    Command,
    CreateApp,
    CreateReleaseFrom,
    Decline,
    DiffReleases,
    Env,
    EnvGet,
    EnvSet,
    EnvUnset,
    Help,
    Link,
    ListApps,
    ListBuilds,
    ListRegistries,
    ListReleases,
    LockApp,
    Promote,
    ReleaseHistory,
    ReleaseInfo,
    ReleaseManifest,
    RemoveRegistry,
    Rollback,
    Unlink,
)
from bot.command.forms import AddRegistry, BuildForm, DeleteApp, EnvEdit, EnvSetForm, odd_value
from bot.command.lexer import Word, plain, shown
from bot.command.process_arguments import (
    list_processes,
    list_resources,
    list_services,
    list_timers,
    logs,
    restart,
    scale,
)
from core.ids import PREFIXES, normalise
from core.records.environment_text import KEY
from core.sentence import CommandLine, Sentence

MANY = 10_000
# A part of a tail that shows flags: `[--promote]`, `(--one R | --other)`, `[-l N]`.
_OF_FLAGS = re.compile(r"[\[(]-[^\])]{0,100}[\])] ?")


@dataclass(frozen=True, slots=True)
class CommandRule:
    """One command of the grammar.

    Attributes:
        words: what it begins with.
        tail: how its arguments are shown.
        does: what it does, for the help and the composer.
        help_section: the group of the help that it stands in.
        make: makes the request.
        flags: the flags it has.
    """

    words: tuple[str, ...]
    tail: str
    does: str
    help_section: str
    make: Callable[[Arguments], Command]
    flags: tuple[str, ...] = ("app",)

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def usage(self) -> str:
        return f"{self.name} {self.tail}".strip()

    @property
    def outline(self) -> str:
        """Its usage without flags, for a page of all commands."""
        return f"{self.name} {_OF_FLAGS.sub('', self.tail).strip()}".strip()


def _list_releases(given: Arguments) -> Command:
    given.count(0, 0)
    return ListReleases(app=given.app, limit=given.limit)


def _release_info(given: Arguments) -> Command:
    given.count(1, 1)
    return ReleaseInfo(release=given.id("release"), app=given.app, reveal=given.switch("reveal"))


def _release_manifest(given: Arguments) -> Command:
    given.count(1, 1)
    return ReleaseManifest(release=given.id("release"), app=given.app)


def _diff_releases(given: Arguments) -> Command:
    """Take the release, or the one to compare with before it."""
    given.count(1, 2)
    *base, release = given.ids("release")
    return DiffReleases(release=release, base=base[0] if base else None, app=given.app)


def _release_history(given: Arguments) -> Command:
    given.count(0, 0)
    return ReleaseHistory(app=given.app, limit=given.limit, at=given.at)


def _create_from(given: Arguments) -> Command:
    given.count(0, 0)
    for one, other in (("build-from", "use-active-release-build"), ("env-from", "use-active-release-env")):
        if (one in given.flags) == (
            other in given.flags
        ):  # Convox counts `--use-active-…=false` as given, too
            given.refuse(f"must specify either --{one} or --{other}")
    return CreateReleaseFrom(
        app=given.app,
        build_from=given.id_of("build-from", "release"),
        env_from=given.id_of("env-from", "release"),
        **_promotion(given),
    )


def _promote(given: Arguments) -> Command:
    anyway = given.value("anyway")
    reason = None if anyway is None else " ".join(plain(anyway).split())
    if reason == "":
        given.refuse("--anyway needs a reason", 'as in: --anyway "the registry is back"')
    if reason is not None and any(normalise("release", plain(word.text)) is None for word in given.words):
        given.refuse(
            "only the first word after --anyway was taken as the reason",
            'put the whole reason in quotes: --anyway "the registry is back"',
        )
    given.count(0, 1)
    release = given.id("release") if given.words else None
    return Promote(
        release=release,
        app=given.app,
        force=given.switch("force"),
        overwrite=given.switch("overwrite"),
        anyway=reason,
    )


def _rollback(given: Arguments) -> Command:
    given.count(1, 1)
    forced = given.switch("force")
    warnings = ("--force is not needed: a rollback always takes over what is running",) if forced else ()
    return Rollback(release=given.id("release"), app=given.app, warnings=warnings)


def _env(given: Arguments) -> Command:
    given.count(0, 0)
    return Env(
        app=given.app,
        reveal=given.switch("reveal"),
        release=given.id_of("release", "release"),
        with_id=given.switch("id"),
    )


def _env_get(given: Arguments) -> Command:
    given.count(1, 1)
    return EnvGet(key=_key(given, given.words[0]), app=given.app, release=given.id_of("release", "release"))


def _env_set(given: Arguments) -> Command:
    given.count(0, MANY)
    if any(word.unclosed for word in given.words):
        given.refuse("a quote is not closed", "put a value that holds a quote in quotes of the other kind")
    replace = given.switch("replace")
    if not given.words:
        return EnvSetForm(replace=replace, **_change(given))
    if len(given.words) == 1 and "=" not in given.words[0].text:
        return EnvSetForm(key=_key(given, given.words[0]), replace=replace, **_change(given))
    wrong = [str(at) for at, word in enumerate(given.words, 1) if not _is_pair(word)]
    if wrong:
        # By place and never by text: an argument that is no pair may be the second half of a password.
        given.refuse(
            f"not KEY=VALUE: argument {', '.join(wrong[:10])}",
            'a key has letters, digits and underscores; a value with spaces stands in straight quotes: KEY="two words"',
        )
    pairs = tuple(_pair(word) for word in given.words)
    warnings = tuple(_odd_values(given, pairs))
    return EnvSet(pairs=pairs, replace=replace, warnings=warnings, **_change(given))


def _env_unset(given: Arguments) -> Command:
    given.count(1, MANY)
    keys = tuple(dict.fromkeys(_key(given, word) for word in given.words))
    return EnvUnset(keys=keys, **_change(given))


def _env_edit(given: Arguments) -> Command:
    given.count(0, 0)
    return EnvEdit(**_change(given))


def _change(given: Arguments) -> dict[str, Any]:
    """Return what every change of variables takes."""
    return {
        "app": given.app,
        "release": given.id_of("release", "release"),
        "with_id": given.switch("id"),
        **_promotion(given),
    }


def _promotion(given: Arguments) -> dict[str, Any]:
    """Return how a release that is just made goes out, if it does."""
    promote, overwrite = given.switch("promote"), given.switch("overwrite")
    if overwrite and not promote:
        given.refuse("--overwrite is of a promotion", "add --promote")
    return {"promote": promote, "overwrite": overwrite}


def _key(given: Arguments, word: Word) -> str:
    key = plain(word.text, "`*~")
    if not KEY.match(key):
        given.refuse(
            f"not a name of a variable: {shown(key)}",
            "it has letters, digits and underscores",
        )
    return key


def _pair(word: Word) -> tuple[str, str]:
    """Split at the first `=`; markers around the whole pair are not part of it, in the value they are."""
    text = word.text
    while len(text) > 2 and text[0] in "`*":
        text = text[1:].removesuffix(text[0])
    key, _, value = text.partition("=")
    return key, value


def _is_pair(word: Word) -> bool:
    return "=" in word.text and KEY.match(_pair(word)[0]) is not None


def _odd_values(given: Arguments, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Warn of values that are perhaps not what was pressed; they name keys, never values."""
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    warnings = [f"{key} is given more than once: the last one counts" for key in twice]
    for (key, value), word in zip(pairs, given.words, strict=True):
        warnings += odd_value(key, value)
        if word.escaped:
            warnings.append(f"{key}: a backslash was read as in a shell; single quotes keep it: {key}='…'")
    return warnings


def _list_builds(given: Arguments) -> Command:
    given.count(0, 0)
    return ListBuilds(app=given.app, limit=given.limit)


def _build_info(given: Arguments) -> Command:
    given.count(1, 1)
    return BuildInfo(build=given.id("build"), app=given.app)


def _build_logs(given: Arguments) -> Command:
    given.count(1, 1)
    return BuildLogs(build=given.id("build"), app=given.app)


def _build(given: Arguments) -> Command:
    given.count(0, 0)
    return BuildForm(app=given.app, description=_described(given))


def _deploy(given: Arguments) -> Command:
    given.count(0, 0)
    return BuildForm(
        app=given.app,
        description=_described(given),
        promote=True,
        force=given.switch("force"),
        overwrite=given.switch("overwrite"),
    )


def _described(given: Arguments) -> str:
    """Return what a build is called: one line of 500 characters at most, as over HTTP."""
    return " ".join(plain(given.value("description") or "").split())[:500]


def _list_registries(given: Arguments) -> Command:
    given.count(0, 0)
    return ListRegistries(app=given.app)


def _add_registry(given: Arguments) -> Command:
    given.count(2, 2)
    host, user = given.words
    # Google's is `_json_key`: an underscore is no marker here.
    return AddRegistry(
        app=given.app, host=given.checked(host.text, "a registry"), user=plain(user.text, "`*~")
    )


def _remove_registry(given: Arguments) -> Command:
    given.count(1, 1)
    return RemoveRegistry(app=given.app, host=given.checked(given.words[0].text, "a registry"))


def _list_apps(given: Arguments) -> Command:
    given.count(0, 0)
    return ListApps()


def _create_app(given: Arguments) -> Command:
    return CreateApp(name=_name(given, given.named_app, required=True))


def _app_info(given: Arguments) -> Command:
    return AppInfo(app=_app(given))


def _cancel_app(given: Arguments) -> Command:
    return CancelApp(app=_app(given))


def _delete_app(given: Arguments) -> Command:
    name = _name(given, given.named_app, required=True).lower()
    yes = given.value("yes")
    if yes is not None and plain(yes).lower() != name:
        given.refuse(f"--yes names another app than {shown(name)}", "nothing was deleted")
    return DeleteApp(app=name, yes=name if yes is not None else None)


def _lock(given: Arguments) -> Command:
    return LockApp(app=_app(given), locked=True)


def _unlock(given: Arguments) -> Command:
    return LockApp(app=_app(given), locked=False)


def _params(given: Arguments) -> Command:
    return AppParams(app=_app(given))


def _link(given: Arguments) -> Command:
    return Link(app=_name(given, given.named_app, required=True).lower())


def _app(given: Arguments) -> str:
    return _name(given, given.named_app or given.linked_app, required=False).lower()


def _name(given: Arguments, otherwise: str | None, *, required: bool) -> str:
    """Return the app that is named as an argument, else `otherwise`, else refuse."""
    given.count(0, 1)
    name = given.checked_app(given.words[0].text) if given.words else ""
    if name and given.named_app and name.lower() != given.named_app:
        given.refuse(
            f"two different apps: {shown(name)} and {shown(given.named_app)}", "leave one of them out"
        )
    return name or otherwise or (given.refuse("1 arg required") if required else given.app)


def _unlink(given: Arguments) -> Command:
    given.count(0, 0)
    return Unlink(app=given.app)


def _approve(given: Arguments) -> Command:
    given.count(1, 1)
    return Approve(promotion=given.id("promotion"), app=given.named_app)


def _decline(given: Arguments) -> Command:
    given.count(1, MANY)
    rest = given.words[1:]
    # One word is taken without its quotes, several as they were typed: "no" and 'do not say "no"'.
    reason = rest[0].text if len(rest) == 1 else " ".join(word.raw for word in rest)
    return Decline(promotion=given.id("promotion"), reason=" ".join(reason.split()), app=given.named_app)


def _cancel(given: Arguments) -> Command:
    word = plain(given.words[0].text) if given.words else ""
    if len(given.words) < 2 and not any(normalise(kind, word) for kind in PREFIXES):
        # Typed in a hurry: what is meant is whatever the app rolls out.
        sentence = f"not a promotion id: {shown(word)}" if word else "1 arg required"
        given.refuse(
            sentence, Sentence.of(CommandLine("apps cancel [APP]"), " stops whatever is rolling out")
        )
    given.count(1, 1)
    return Cancel(promotion=given.id("promotion"), app=given.named_app)


def _help(given: Arguments) -> Command:
    return Help(topic=" ".join(shown(word.text).lower() for word in given.words)[:80])


SHIP, LOOK, RUN, SET, RACK = "Ship", "Look", "What runs", "Environment", "Apps and channels"
ANYWAY = '[--anyway "REASON"]'
CHANGE = "[--release R] [--id] [--promote] [--overwrite]"
CHANGE_FLAGS = ("app", "release", "id", "promote", "overwrite")
RULES = (
    CommandRule(
        ("releases", "promote"), f"[RELEASE] [--force] [--overwrite] {ANYWAY}", "roll a release out (without an id: the newest)",
        SHIP, _promote, ("app", "force", "overwrite", "anyway"),
    ),
    CommandRule(("releases", "rollback"), "RELEASE", "go back to an older release", SHIP, _rollback, ("app", "force")),
    CommandRule(
        ("releases", "create-from"),
        "(--build-from R | --use-active-release-build) (--env-from R | --use-active-release-env) [--promote] [--overwrite]",
        "make a release of one's build and another's variables", SHIP, _create_from,
        ("app", "build-from", "use-active-release-build", "env-from", "use-active-release-env", "promote", "overwrite"),
    ),
    CommandRule(
        ("build",), "[-d TEXT]", "register a build of the newest convox.yml with other images", SHIP, _build, ("app", "description")
    ),
    CommandRule(
        ("deploy",), "[-d TEXT] [--force] [--overwrite]", "the same, and promote it", SHIP, _deploy,
        ("app", "description", "force", "overwrite"),
    ),
    CommandRule(("approve",), "PROMOTION", "approve a promotion that waits", SHIP, _approve),
    CommandRule(("decline",), "PROMOTION [REASON]", "decline it", SHIP, _decline),
    CommandRule(("cancel",), "PROMOTION", "stop it, waiting or running", SHIP, _cancel),
    CommandRule(("apps", "cancel"), "[APP]", "stop the rollout that is running", SHIP, _cancel_app),
    CommandRule(("releases",), "[-l N]", "list releases, newest first", LOOK, _list_releases, ("app", "limit")),
    CommandRule(
        ("releases", "history"), "[-l N] [--at TIME]", "list who promoted what, how it ended, how long it was live",
        LOOK, _release_history, ("app", "limit", "at"),
    ),
    CommandRule(("releases", "info"), "RELEASE [--reveal]", "show one release", LOOK, _release_info, ("app", "reveal")),
    CommandRule(
        ("releases", "diff"), "[RELEASE] RELEASE", "show what it changes (with one id: of the active release)",
        LOOK, _diff_releases,
    ),
    CommandRule(("releases", "manifest"), "RELEASE", "show its convox.yml", LOOK, _release_manifest),
    CommandRule(("builds",), "[-l N]", "list builds", LOOK, _list_builds, ("app", "limit")),
    CommandRule(("builds", "info"), "BUILD", "show one build", LOOK, _build_info),
    CommandRule(("builds", "logs"), "BUILD", "show what was registered with it", LOOK, _build_logs),
    CommandRule(("services",), "", "list the services, how many processes each is to have", RUN, list_services),
    CommandRule(("ps",), "[-s SERVICE]", "list the processes", RUN, list_processes, ("app", "service")),
    CommandRule(
        ("scale",), "[SERVICE] [--count N]", "show how many processes there are to be, or set it for one service",
        RUN, scale, ("app", "count"),
    ),
    CommandRule(("restart",), "[SERVICE]", "replace the processes, one after the other, by new ones of the same release", RUN, restart),
    CommandRule(("timers",), "", "list what runs by the clock", RUN, list_timers),
    CommandRule(("resources",), "", "list the databases and caches", RUN, list_resources),
    CommandRule(
        ("logs",), "[SERVICE] [--since 10m] [--filter TEXT] [-l N]", "show the last lines of the processes",
        RUN, logs, ("app", "limit", "since", "filter"),
    ),
    CommandRule(
        ("env",), "[--release R] [--reveal] [--id]", "list the variables", SET, _env, ("app", "release", "reveal", "id")
    ),
    CommandRule(
        ("env", "get"), "KEY [--release R]", "show one value, to you alone", SET, _env_get, ("app", "release")
    ),
    CommandRule(
        ("env", "set"), f"KEY=VALUE… | KEY [--replace] {CHANGE}", "set variables: a new release", SET, _env_set,
        ("replace", *CHANGE_FLAGS),
    ),
    CommandRule(
        ("env", "unset"), f"KEY… {CHANGE}", "remove variables: a new release", SET, _env_unset, CHANGE_FLAGS
    ),
    CommandRule(("env", "edit"), CHANGE, "edit all variables: a new release", SET, _env_edit, CHANGE_FLAGS),
    CommandRule(("registries",), "", "list logins at image registries", SET, _list_registries),
    CommandRule(("registries", "add"), "HOST USER", "log in at one; asks for the password", SET, _add_registry),
    CommandRule(("registries", "rm"), "HOST", "log out there", SET, _remove_registry),
    CommandRule(("apps",), "", "list apps", RACK, _list_apps),
    CommandRule(("apps", "create"), "NAME", "create an app and link this channel", RACK, _create_app),
    CommandRule(("apps", "info"), "[APP]", "show one app", RACK, _app_info),
    CommandRule(("apps", "params"), "[APP]", "show what the policy says of it", RACK, _params),
    CommandRule(("apps", "lock"), "[APP]", "keep it from being deleted", RACK, _lock),
    CommandRule(("apps", "unlock"), "[APP]", "take that back", RACK, _unlock),
    CommandRule(("apps", "delete"), "NAME [--yes NAME]", "delete an app", RACK, _delete_app, ("app", "yes")),
    CommandRule(("link",), "APP", "make it this channel's app", RACK, _link),
    CommandRule(("unlink",), "", "take that back", RACK, _unlink),
    CommandRule(("help",), "[COMMAND]", "this page, or one command", RACK, _help),
)  # fmt: skip
BY_NAME = {rule.words: rule for rule in RULES}
NAMES = [rule.name for rule in RULES]
GROUPS = frozenset(rule.words[0] for rule in RULES if len(rule.words) > 1)
