"""The commands of `/convox`: how each begins, what it takes and the request it makes, in one table."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.command.app_arguments import (
    app_info,
    cancel_app,
    create_app,
    delete_app,
    help_page,
    link,
    list_apps,
    lock,
    params,
    unlink,
    unlock,
)
from bot.command.arguments import Arguments
from bot.command.build_arguments import (
    add_git_account,
    add_registry,
    build,
    build_info,
    build_logs,
    cancel_build,
    deploy,
    import_image,
    list_builds,
    list_git_accounts,
    list_registries,
    remove_git_account,
    remove_registry,
    retry_build,
)
from bot.command.commands import Command
from bot.command.environment_arguments import env, env_edit, env_get, env_set, env_unset
from bot.command.freeze_arguments import freeze, unfreeze, waiting, whoami, why
from bot.command.process_arguments import (
    list_processes,
    list_resources,
    list_services,
    list_timers,
    logs,
    restart,
    scale,
)
from bot.command.release_arguments import (
    approve,
    cancel,
    check_release,
    create_from,
    decline,
    diff_releases,
    list_releases,
    promote,
    release_history,
    release_info,
    release_manifest,
    remind,
    rollback,
    snooze,
    stats,
    stop,
)

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


SHIP, LOOK, RUN, SET, RACK = "Ship", "Look", "What runs", "Environment", "Apps and channels"
ANYWAY = '[--anyway "REASON"]'
GIT = "[--ref REF] [-m PATH] [--build-args KEY=VALUE]… [--no-cache] [--only-newest]"
GLASS = '[--break-glass "REASON"]'
CHANGE = "[--release R] [--id] [--promote] [--overwrite]"
CHANGE_FLAGS = ("app", "release", "id", "promote", "overwrite")
RULES = (
    CommandRule(
        ("releases", "promote"), f"[RELEASE] [at TIME] [--queue] [--force] [--overwrite] {ANYWAY} {GLASS} [--ask]",
        "roll a release out (without an id: the newest), now, at a time or when the app is free",
        SHIP, promote, ("app", "force", "overwrite", "queue", "anyway", "break-glass", "ask"),
    ),
    CommandRule(
        ("releases", "rollback"), "RELEASE [--env then|now] [--ask]", "go back to an older release", SHIP, rollback,
        ("app", "force", "env", "ask"),
    ),
    CommandRule(
        ("releases", "create-from"),
        "(--build-from R | --use-active-release-build) (--env-from R | --use-active-release-env) [--promote] [--overwrite]",
        "make a release of one's build and another's variables", SHIP, create_from,
        ("app", "build-from", "use-active-release-build", "env-from", "use-active-release-env", "promote", "overwrite"),
    ),
    CommandRule(
        ("build",), f"[--git URL] {GIT} [-d TEXT]", "build a git repository, or register other images", SHIP, build,
        ("app", "description", "git", "ref", "manifest", "build-args", "no-cache", "only-newest"),
    ),
    CommandRule(
        ("deploy",), f"[--git URL] {GIT} [-d TEXT] [--force] [--overwrite]", "the same, and promote it", SHIP, deploy,
        ("app", "description", "git", "ref", "manifest", "build-args", "no-cache", "only-newest", "force", "overwrite"),
    ),
    CommandRule(("approve",), "PROMOTION", "approve a promotion that waits", SHIP, approve),
    CommandRule(
        ("remind",), "PROMOTION [--in 1h]", "remind those who can approve it, now or later", SHIP, remind, ("app", "in")
    ),
    CommandRule(("decline",), "PROMOTION [REASON] [--ask]", "decline it", SHIP, decline, ("app", "ask")),
    CommandRule(("cancel",), "PROMOTION", "stop it, waiting or running", SHIP, cancel),
    CommandRule(("stop",), "PROMOTION", "keep what failed from going back by itself", SHIP, stop),
    CommandRule(("snooze",), "PROMOTION [TIME]", "put off that it goes back, by 10 minutes", SHIP, snooze),
    CommandRule(("apps", "cancel"), "[APP]", "stop the rollout that is running", SHIP, cancel_app),
    CommandRule(("waiting",), "", "list what waits for approval, yours first", SHIP, waiting, ()),
    CommandRule(
        ("freeze",), '[APP|*] [from TIME] [until TIME] ["REASON"]', "promote nothing new for a while", SHIP, freeze
    ),
    CommandRule(("unfreeze",), "[APP|*]", "end a freeze", SHIP, unfreeze),
    CommandRule(("why",), "[RELEASE]", "say what you may do with it now, and why not", LOOK, why),
    CommandRule(("whoami",), "", "say who you are here and what you may", LOOK, whoami, ()),
    CommandRule(("releases",), "[-l N]", "list releases, newest first", LOOK, list_releases, ("app", "limit")),
    CommandRule(
        ("releases", "history"), "[-l N] [--at TIME]", "list who promoted what, and how it went",
        LOOK, release_history, ("app", "limit", "at"),
    ),
    CommandRule(("stats",), "[--since 30d]", "show how often and how well it is deployed", LOOK, stats, ("app", "since")),
    CommandRule(("releases", "info"), "RELEASE [--reveal]", "show one release", LOOK, release_info, ("app", "reveal")),
    CommandRule(
        ("releases", "diff"), "[RELEASE] RELEASE", "show what it changes (with one id: of the active release)",
        LOOK, diff_releases,
    ),
    CommandRule(("releases", "manifest"), "RELEASE", "show its convox.yml", LOOK, release_manifest),
    CommandRule(("check",), "[RELEASE]", "say what a release would be here", LOOK, check_release),
    CommandRule(("builds",), "[-l N]", "list builds", LOOK, list_builds, ("app", "limit")),
    CommandRule(("builds", "info"), "BUILD", "show one build", LOOK, build_info),
    CommandRule(("builds", "logs"), "BUILD", "show the last lines of its log, or what was registered", LOOK, build_logs),
    CommandRule(("builds", "cancel"), "BUILD", "stop one, waiting for its turn or building", SHIP, cancel_build),
    CommandRule(
        ("builds", "import-image"), "IMAGE [-s SERVICE] [-d TEXT]", "register a build with that image",
        SHIP, import_image, ("app", "service", "description"),
    ),
    CommandRule(("builds", "retry"), "BUILD", "ask for the same once more", SHIP, retry_build),
    CommandRule(("services",), "", "list the services", RUN, list_services),
    CommandRule(("ps",), "[-s SERVICE]", "list the processes", RUN, list_processes, ("app", "service")),
    CommandRule(
        ("scale",), "[SERVICE] [--count N]", "show or set how many processes there are to be",
        RUN, scale, ("app", "count"),
    ),
    CommandRule(("restart",), "[SERVICE]", "replace the processes by new ones of the same release", RUN, restart),
    CommandRule(("timers",), "", "list what runs by the clock", RUN, list_timers),
    CommandRule(("resources",), "", "list the databases and caches", RUN, list_resources),
    CommandRule(
        ("logs",), "[SERVICE] [--since 10m] [--filter TEXT] [-l N] [--of PROMOTION]",
        "show the last lines of the processes, or of those that failed",
        RUN, logs, ("app", "limit", "since", "filter", "of"),
    ),
    CommandRule(
        ("env",), "[--release R] [--reveal] [--id]", "list the variables", SET, env, ("app", "release", "reveal", "id")
    ),
    CommandRule(
        ("env", "get"), "KEY [--release R]", "show one value, to you alone", SET, env_get, ("app", "release")
    ),
    CommandRule(
        ("env", "set"), f"KEY=VALUE… | KEY [--replace] {CHANGE}", "set variables: a new release", SET, env_set,
        ("replace", *CHANGE_FLAGS),
    ),
    CommandRule(
        ("env", "unset"), f"KEY… {CHANGE}", "remove variables: a new release", SET, env_unset, CHANGE_FLAGS
    ),
    CommandRule(("env", "edit"), CHANGE, "edit all variables: a new release", SET, env_edit, CHANGE_FLAGS),
    CommandRule(("git",), "", "list tokens for cloning", SET, list_git_accounts),
    CommandRule(("git", "add"), "HOST [USER]", "keep one; asks for it", SET, add_git_account),
    CommandRule(("git", "remove"), "HOST", "forget it", SET, remove_git_account),
    CommandRule(("registries",), "", "list logins at image registries", SET, list_registries),
    CommandRule(("registries", "add"), "HOST USER", "log in at one; asks for the password", SET, add_registry),
    CommandRule(("registries", "rm"), "HOST", "log out there", SET, remove_registry),
    CommandRule(("apps",), "", "list apps", RACK, list_apps),
    CommandRule(("apps", "create"), "NAME", "create an app and link this channel", RACK, create_app),
    CommandRule(("apps", "info"), "[APP]", "show one app", RACK, app_info),
    CommandRule(("apps", "params"), "[APP]", "show what the policy says of it", RACK, params),
    CommandRule(("apps", "lock"), "[APP]", "keep it from being deleted", RACK, lock),
    CommandRule(("apps", "unlock"), "[APP]", "take that back", RACK, unlock),
    CommandRule(("apps", "delete"), "NAME [--yes NAME]", "delete an app", RACK, delete_app, ("app", "yes")),
    CommandRule(("link",), "APP", "make it this channel's app", RACK, link),
    CommandRule(("unlink",), "", "take that back", RACK, unlink),
    CommandRule(("help",), "[COMMAND]", "this page, or one command", RACK, help_page),
)  # fmt: skip
BY_NAME = {rule.words: rule for rule in RULES}
NAMES = [rule.name for rule in RULES]
GROUPS = frozenset(rule.words[0] for rule in RULES if len(rule.words) > 1)
