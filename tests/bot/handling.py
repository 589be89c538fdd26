"""What carries out the commands of a test: the real handlers over the use cases of its world."""

from bot.handlers.dispatch import Handlers
from core.usecases.build_starter import BuildStarter
from tests.core.building.nursery import starter_of
from tests.core.world import World


def handlers_of(w: World, builds: BuildStarter | None = None) -> Handlers:
    return Handlers(
        registrar=w.registrar,
        builds=builds or starter_of(w),
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
    )
