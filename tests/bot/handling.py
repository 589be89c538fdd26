"""What carries out the commands of a test: the real handlers over the use cases of its world."""

from bot.handlers import Handlers
from tests.core.world import World


def handlers_of(w: World) -> Handlers:
    return Handlers(
        registrar=w.registrar,
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
