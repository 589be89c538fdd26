"""How the commands about builds and registries are given."""

from dataclasses import replace

from bot.command.account_forms import AddGitAccount, AddRegistry
from bot.command.arguments import Arguments
from bot.command.build_forms import BuildForm
from bot.command.commands import (
    BuildGit,
    BuildInfo,
    BuildLogs,
    CancelBuild,
    Command,
    ImportImage,
    ListBuilds,
    ListGitAccounts,
    ListRegistries,
    RemoveGitAccount,
    RemoveRegistry,
    RetryBuild,
)
from bot.command.flags import BETWEEN
from bot.command.lexer import plain, shown
from bot.command.process_arguments import service_named


def list_builds(given: Arguments) -> Command:
    given.count(0, 0)
    return ListBuilds(app=given.app, limit=given.limit)


def build_info(given: Arguments) -> Command:
    given.count(1, 1)
    return BuildInfo(build=given.id("build"), app=given.app)


def build_logs(given: Arguments) -> Command:
    given.count(1, 1)
    return BuildLogs(build=given.id("build"), app=given.app)


def cancel_build(given: Arguments) -> Command:
    given.count(1, 1)
    return CancelBuild(build=given.id("build"), app=given.app)


def import_image(given: Arguments) -> Command:
    given.count(1, 1)
    return ImportImage(
        app=given.app,
        image=given.checked(given.words[0].text, "an image"),
        service=service_named(given, given.value("service")),
        description=_described(given),
    )


def retry_build(given: Arguments) -> Command:
    given.count(1, 1)
    return RetryBuild(build=given.id("build"), app=given.app)


def build(given: Arguments) -> Command:
    given.count(0, 0)
    if _of_git(given):
        return _git_build(given)
    return BuildForm(app=given.app, description=_described(given))


def deploy(given: Arguments) -> Command:
    given.count(0, 0)
    if _of_git(given):
        for name in ("force", "overwrite"):
            if given.switch(name):
                given.refuse(
                    f"--{name} is of what rolls out now, and this is built first", "promote it with that then"
                )
        return replace(_git_build(given), promote=True)
    return BuildForm(
        app=given.app,
        description=_described(given),
        promote=True,
        force=given.switch("force"),
        overwrite=given.switch("overwrite"),
    )


# What is said of a build that the cluster makes, and of no other.
_OF_GIT = ("ref", "manifest", "build-args", "no-cache", "only-newest")


def _of_git(given: Arguments) -> bool:
    """Tell whether a repository is named; refuse what only such a build takes where none is."""
    if given.value("git") is not None:
        return True
    if said := [f"--{name}" for name in _OF_GIT if name in given.flags]:
        given.refuse(f"{', '.join(said)}: of a build of git only", "--git URL names the repository")
    return False


def _git_build(given: Arguments) -> BuildGit:
    pairs = (given.value("build-args") or "").split(BETWEEN) if "build-args" in given.flags else []
    parts = [pair.partition("=") for pair in pairs]
    if wrong := [name for name, equals, _ in parts if not (name and equals)]:
        given.refuse(f"not KEY=VALUE: {shown(wrong[0])}")
    return BuildGit(
        app=given.app,
        url=plain(given.value("git") or ""),
        ref=plain(given.value("ref") or ""),
        manifest=plain(given.value("manifest") or "", "`*~"),
        description=_described(given),
        build_args=tuple(sorted({name: value for name, _, value in parts}.items())),
        no_cache=given.switch("no-cache"),
        only_newest=given.switch("only-newest"),
    )


def list_git_accounts(given: Arguments) -> Command:
    given.count(0, 0)
    return ListGitAccounts(app=given.app)


def add_git_account(given: Arguments) -> Command:
    given.count(1, 2)
    host, user = given.words[0], given.words[1] if len(given.words) > 1 else None
    return AddGitAccount(
        app=given.app,
        host=given.checked(host.text, "a host"),
        user=plain(user.text, "`*~") if user else "",
    )


def remove_git_account(given: Arguments) -> Command:
    given.count(1, 1)
    return RemoveGitAccount(app=given.app, host=given.checked(given.words[0].text, "a host"))


def _described(given: Arguments) -> str:
    """Return what a build is called: one line of 500 characters at most, as over HTTP."""
    return " ".join(plain(given.value("description") or "").split())[:500]


def list_registries(given: Arguments) -> Command:
    given.count(0, 0)
    return ListRegistries(app=given.app)


def add_registry(given: Arguments) -> Command:
    given.count(2, 2)
    host, user = given.words
    # Google's is `_json_key`: an underscore is no marker here.
    return AddRegistry(
        app=given.app, host=given.checked(host.text, "a registry"), user=plain(user.text, "`*~")
    )


def remove_registry(given: Arguments) -> Command:
    given.count(1, 1)
    return RemoveRegistry(app=given.app, host=given.checked(given.words[0].text, "a registry"))
