"""What carries out the commands of a test: the real handlers over the use cases of its world."""

from bot.handlers.budgets import BRAKES, STRANGERS, Budgets, Cost, RateLimit
from bot.handlers.dispatch import Handlers
from core.clock import Clock
from core.lifecycle.access import Access
from core.usecases.build_chooser import BuildChooser
from core.usecases.build_starter import BuildStarter
from tests.core.building.nursery import starter_of
from tests.core.world import World


def budgets_of(clock: Clock, *, reads: int = 600, changes: int = 60) -> Budgets:
    """The budgets of a bot that was told nothing of them."""
    return Budgets(
        clock,
        {
            Cost.BRAKE: BRAKES,
            Cost.READ: RateLimit(minute=reads),
            Cost.CHANGE: RateLimit(minute=changes),
            Cost.STRANGER: STRANGERS,
        },
    )


def handlers_of(
    w: World,
    builds: BuildStarter | None = None,
    why_not: str = "this rack builds nothing",
    budgets: Budgets | None = None,
) -> Handlers:
    return Handlers(
        registrar=w.registrar,
        builds=builds or starter_of(w),
        build_chooser=BuildChooser(
            w.store, Access(lambda: w.policy, w.directory), w.registrar, lambda: why_not
        ),
        promoter=w.promoter,
        decider=w.decider,
        viewer=w.viewer,
        processes=w.processes,
        scaler=w.scaler,
        reminders=w.reminders,
        freezer=w.freezer,
        explainer=w.explainer,
        chooser=w.chooser,
        clock=w.clock,
        budgets=budgets or Budgets(w.clock, {}),
    )
