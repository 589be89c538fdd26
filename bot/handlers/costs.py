"""Which budget a command takes from."""

from bot.command import commands as ask
from bot.command.forms import FormCommand
from bot.handlers.budgets import Cost

# They hold up or end what goes wrong, or let go what waits for a person: in a bad hour they must work for whoever has just looked at
# everything twenty times, and for a pipeline that went wild, too.
BRAKES = (
    *(ask.Approve, ask.Decline, ask.Cancel, ask.CancelApp, ask.CancelBuild, ask.Stop, ask.Snooze),
    *(ask.FreezeApp, ask.Rollback, ask.LockApp),
)
CHANGES = (
    *(ask.Promote, ask.CreateReleaseFrom, ask.ImportImage, ask.Restart, ask.SetCount, ask.EnvChange),
    *(ask.Remind, ask.BuildGit, ask.RetryBuild, ask.CreateApp, ask.Link, ask.Unlink, ask.UnfreezeApp),
    *(ask.RemoveRegistry, ask.RemoveGitAccount, FormCommand),
)


def cost_of(command: ask.Command) -> Cost:
    """Return it; a command that only shows something is a read."""
    if isinstance(command, BRAKES):
        return Cost.BRAKE
    return Cost.CHANGE if isinstance(command, CHANGES) else Cost.READ
