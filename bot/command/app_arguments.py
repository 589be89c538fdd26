"""How the commands about apps and channels are given, and the help."""

from bot.command.arguments import Arguments
from bot.command.commands import (
    AppInfo,
    AppParams,
    CancelApp,
    Command,
    CreateApp,
    Help,
    Link,
    ListApps,
    LockApp,
    Unlink,
)
from bot.command.forms import DeleteApp
from bot.command.lexer import plain, shown


def list_apps(given: Arguments) -> Command:
    given.count(0, 0)
    return ListApps()


def create_app(given: Arguments) -> Command:
    return CreateApp(name=_name(given, given.named_app, required=True))


def app_info(given: Arguments) -> Command:
    return AppInfo(app=_app(given))


def cancel_app(given: Arguments) -> Command:
    return CancelApp(app=_app(given))


def delete_app(given: Arguments) -> Command:
    name = _name(given, given.named_app, required=True).lower()
    yes = given.value("yes")
    if yes is not None and plain(yes).lower() != name:
        given.refuse(f"--yes names another app than {shown(name)}", "nothing was deleted")
    return DeleteApp(app=name, yes=name if yes is not None else None)


def lock(given: Arguments) -> Command:
    return LockApp(app=_app(given), locked=True)


def unlock(given: Arguments) -> Command:
    return LockApp(app=_app(given), locked=False)


def params(given: Arguments) -> Command:
    return AppParams(app=_app(given))


def link(given: Arguments) -> Command:
    return Link(app=_name(given, given.named_app, required=True).lower())


def unlink(given: Arguments) -> Command:
    given.count(0, 0)
    return Unlink(app=given.app)


def help_page(given: Arguments) -> Command:
    return Help(topic=" ".join(shown(word.text).lower() for word in given.words)[:80])


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
