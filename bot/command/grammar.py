"""The commands of `/convox`: how each begins, what it takes and the request it makes, in one table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.command.arguments import Arguments
from bot.command.commands import (
    AppInfo,
    Approve,
    BuildInfo,
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
    ListReleases,
    Promote,
    ReleaseHistory,
    ReleaseInfo,
    ReleaseManifest,
    Rollback,
    Unlink,
)
from bot.command.lexer import Word, oddities, plain, shown
from core.ids import PREFIXES, normalise
from core.records.environment import KEY

MANY = 10_000


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
        promote=given.switch("promote"),
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
    return Env(app=given.app, reveal=given.switch("reveal"))


def _env_get(given: Arguments) -> Command:
    given.count(1, 1)
    return EnvGet(key=_key(given, given.words[0]), app=given.app)


def _env_set(given: Arguments) -> Command:
    given.count(1, MANY)
    if any(word.unclosed for word in given.words):
        given.refuse("a quote is not closed", "put a value that holds a quote in quotes of the other kind")
    wrong = [str(at) for at, word in enumerate(given.words, 1) if not _is_pair(word)]
    if wrong:
        # By place and never by text: an argument that is no pair may be the second half of a password.
        given.refuse(
            f"not KEY=VALUE: argument {', '.join(wrong[:10])}",
            'a key has letters, digits and underscores; a value with spaces stands in straight quotes: KEY="two words"',
        )
    pairs = tuple(_pair(word) for word in given.words)
    return EnvSet(
        pairs=pairs, app=given.app, promote=given.switch("promote"), warnings=tuple(_odd_values(given, pairs))
    )


def _env_unset(given: Arguments) -> Command:
    given.count(1, MANY)
    keys = tuple(dict.fromkeys(_key(given, word) for word in given.words))
    return EnvUnset(keys=keys, app=given.app, promote=given.switch("promote"))


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
        if odd := oddities(value):
            warnings.append(
                f"{key} holds {' and '.join(odd)}, kept exactly as they came: "
                "if your keyboard made them, set it again with straight ones"
            )
        if word.escaped:
            warnings.append(f"{key}: a backslash was read as in a shell; single quotes keep it: {key}='…'")
    return warnings


def _list_builds(given: Arguments) -> Command:
    given.count(0, 0)
    return ListBuilds(app=given.app, limit=given.limit)


def _build_info(given: Arguments) -> Command:
    given.count(1, 1)
    return BuildInfo(build=given.id("build"), app=given.app)


def _list_apps(given: Arguments) -> Command:
    given.count(0, 0)
    return ListApps()


def _create_app(given: Arguments) -> Command:
    return CreateApp(name=_name(given, given.named_app, required=True))


def _app_info(given: Arguments) -> Command:
    return AppInfo(app=_app(given))


def _cancel_app(given: Arguments) -> Command:
    return CancelApp(app=_app(given))


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
        given.refuse(sentence, "`apps cancel [APP]` stops whatever is rolling out")
    given.count(1, 1)
    return Cancel(promotion=given.id("promotion"), app=given.named_app)


def _help(given: Arguments) -> Command:
    return Help(topic=" ".join(shown(word.text).lower() for word in given.words)[:80])


SHIP, LOOK, SET, RACK = "Ship", "Look", "Environment", "Apps and channels"
ANYWAY = '[--anyway "REASON"]'
RULES = (
    CommandRule(
        ("releases", "promote"), f"[RELEASE] [--force] [--overwrite] {ANYWAY}", "roll a release out (without an id: the newest)",
        SHIP, _promote, ("app", "force", "overwrite", "anyway"),
    ),
    CommandRule(("releases", "rollback"), "RELEASE", "go back to an older release", SHIP, _rollback, ("app", "force")),
    CommandRule(
        ("releases", "create-from"),
        "(--build-from R | --use-active-release-build) (--env-from R | --use-active-release-env) [--promote]",
        "make a release of one's build and another's variables", SHIP, _create_from,
        ("app", "build-from", "use-active-release-build", "env-from", "use-active-release-env", "promote"),
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
    CommandRule(("env",), "[--reveal]", "list the variables", SET, _env, ("app", "reveal")),
    CommandRule(("env", "get"), "KEY", "show one value, to you alone", SET, _env_get),
    CommandRule(("env", "set"), "KEY=VALUE… [--promote]", "set variables: a new release", SET, _env_set, ("app", "promote")),
    CommandRule(("env", "unset"), "KEY… [--promote]", "remove variables: a new release", SET, _env_unset, ("app", "promote")),
    CommandRule(("apps",), "", "list apps", RACK, _list_apps),
    CommandRule(("apps", "create"), "NAME", "create an app and link this channel", RACK, _create_app),
    CommandRule(("apps", "info"), "[APP]", "show one app", RACK, _app_info),
    CommandRule(("link",), "APP", "make it this channel's app", RACK, _link),
    CommandRule(("unlink",), "", "take that back", RACK, _unlink),
    CommandRule(("help",), "[COMMAND]", "this page, or one command", RACK, _help),
)  # fmt: skip
BY_NAME = {rule.words: rule for rule in RULES}
NAMES = [rule.name for rule in RULES]
GROUPS = frozenset(rule.words[0] for rule in RULES if len(rule.words) > 1)
