"""How the commands about builds and registries are given."""

from bot.command.arguments import Arguments
from bot.command.commands import (
    BuildInfo,
    BuildLogs,
    CancelBuild,
    Command,
    ImportImage,
    ListBuilds,
    ListRegistries,
    RemoveRegistry,
)
from bot.command.forms import AddRegistry, BuildForm
from bot.command.lexer import plain
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


def build(given: Arguments) -> Command:
    given.count(0, 0)
    return BuildForm(app=given.app, description=_described(given))


def deploy(given: Arguments) -> Command:
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
