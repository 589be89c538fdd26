"""What a person can ask for, as values; without them every listener would read words again.

Each says how it is typed, so that a message or a button can hold a command that means exactly this.
"""

from bot.command.commands.apps import (
    AppInfo,
    AppParams,
    CancelApp,
    CreateApp,
    Help,
    Link,
    ListApps,
    LockApp,
    Unlink,
)
from bot.command.commands.builds import BuildInfo, BuildLogs, ListBuilds, ListRegistries, RemoveRegistry
from bot.command.commands.command import ROWS, Command
from bot.command.commands.environment import Env, EnvChange, EnvGet, EnvSet, EnvUnset
from bot.command.commands.freezes import FreezeApp, ListWaiting, UnfreezeApp, WhoAmI, Why
from bot.command.commands.processes import (
    LOG_LINES,
    FailureLogs,
    ListProcesses,
    ListResources,
    ListScales,
    ListServices,
    ListTimers,
    Logs,
    Restart,
    SetCount,
)
from bot.command.commands.promotions import SNOOZE_SECONDS, Approve, Cancel, Decline, Remind, Snooze, Stop
from bot.command.commands.releases import (
    CreateReleaseFrom,
    DiffReleases,
    ListReleases,
    Promote,
    ReleaseHistory,
    ReleaseInfo,
    ReleaseManifest,
    Rollback,
)

__all__ = [
    "LOG_LINES",
    "ROWS",
    "SNOOZE_SECONDS",
    "AppInfo",
    "AppParams",
    "Approve",
    "BuildInfo",
    "BuildLogs",
    "Cancel",
    "CancelApp",
    "Command",
    "CreateApp",
    "CreateReleaseFrom",
    "Decline",
    "DiffReleases",
    "Env",
    "EnvChange",
    "EnvGet",
    "EnvSet",
    "EnvUnset",
    "FailureLogs",
    "FreezeApp",
    "Help",
    "Link",
    "ListApps",
    "ListBuilds",
    "ListProcesses",
    "ListRegistries",
    "ListReleases",
    "ListResources",
    "ListScales",
    "ListServices",
    "ListTimers",
    "ListWaiting",
    "LockApp",
    "Logs",
    "Promote",
    "ReleaseHistory",
    "ReleaseInfo",
    "ReleaseManifest",
    "Remind",
    "RemoveRegistry",
    "Restart",
    "Rollback",
    "SetCount",
    "Snooze",
    "Stop",
    "UnfreezeApp",
    "Unlink",
    "WhoAmI",
    "Why",
]
