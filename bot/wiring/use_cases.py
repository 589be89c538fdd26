"""The core: what is done for whoever asks, and the request handlers in front of it."""

from dataclasses import dataclass

from bot.handlers.budgets import BRAKES, STRANGERS, Budgets, Cost, RateLimit
from bot.handlers.dispatch import Handlers
from bot.settings import Settings
from bot.wiring.build_side import BuildSide, new_build_side
from bot.wiring.disk import why_nothing_starts
from bot.wiring.slack_side import SlackSide
from core.clock import Clock
from core.lifecycle.gate import Gate
from core.ports.builds import BuildCluster
from core.ports.cluster import Cluster
from core.ports.registry import ImageRegistry
from core.ports.tracer import NullTracer, Tracer
from core.rollout.effects import RolloutPorts
from core.rollout.first_pods import FirstPods
from core.rollout.supervisor import Supervisor
from core.rollout.watched_time import BlindTime
from core.usecases.build_chooser import BuildChooser
from core.usecases.build_promoter import BuildPromoter
from core.usecases.chooser import Chooser
from core.usecases.decider import Decider
from core.usecases.explainer import Explainer
from core.usecases.freezer import Freezer
from core.usecases.overview import OverviewReader
from core.usecases.process_viewer import ProcessViewer
from core.usecases.promoter import Promoter
from core.usecases.registrar import Registrar
from core.usecases.reminders import Reminders
from core.usecases.scaler import Scaler
from core.usecases.scheduler import PromotionScheduler
from core.usecases.viewer import Viewer
from storage.store import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """What the core does for whoever asks."""

    registrar: Registrar
    decider: Decider
    viewer: Viewer
    scaler: Scaler
    reminders: Reminders
    freezer: Freezer
    scheduler: PromotionScheduler
    chooser: Chooser
    overviews: OverviewReader
    supervisor: Supervisor
    blind: BlindTime
    first_pods: FirstPods
    builds: BuildSide
    build_promoter: BuildPromoter
    handlers: Handlers
    budgets: Budgets


def new_use_cases(
    settings: Settings,
    store: SqliteStore,
    cluster: Cluster,
    builders: BuildCluster,
    slack: SlackSide,
    clock: Clock,
    registry: ImageRegistry | None = None,
    tracer: Tracer | None = None,
) -> UseCases:
    """Put the core together, and the request handlers in front of it."""

    def why_not_startable() -> str:
        return why_nothing_starts(store)

    access, sender = slack.access, slack.sender
    gate = Gate(store, cluster, access)
    ports = RolloutPorts(
        store=store,
        cluster=cluster,
        clock=clock,
        announcer=sender,
        gate=gate,
        tracer=tracer or NullTracer(),
    )
    supervisor = Supervisor(ports)
    registrar = Registrar(store, cluster, access, why_not_startable, registry, sender)
    decider = Decider(store, cluster, access, sender, supervisor, why_not_startable=why_not_startable)
    promoter = Promoter(store, cluster, access, decider, clock, why_not_startable=why_not_startable)
    viewer = Viewer(store, cluster, access, why_not_startable)
    scaler = Scaler(store, cluster, access, sender, why_not_startable=why_not_startable)
    reminders = Reminders(store, access, sender)
    freezer = Freezer(store, access, sender, why_not_startable=why_not_startable)
    scheduler = PromotionScheduler(store, cluster, access, decider, why_not_startable=why_not_startable)
    chooser = Chooser(store, access, clock)
    builds = new_build_side(settings, store, slack, registrar, builders, clock)
    budgets = Budgets(
        clock,
        {
            Cost.BRAKE: BRAKES,
            Cost.READ: RateLimit(minute=settings.convox_reads_per_minute),
            Cost.CHANGE: RateLimit(minute=settings.convox_changes_per_minute),
            Cost.STRANGER: STRANGERS,
        },
    )
    handlers = Handlers(
        registrar=registrar,
        builds=builds.starter,
        build_chooser=BuildChooser(store, access, registrar, builders.why_not),
        promoter=promoter,
        decider=decider,
        viewer=viewer,
        processes=ProcessViewer(store, cluster, access),
        scaler=scaler,
        reminders=reminders,
        freezer=freezer,
        explainer=Explainer(store, access, clock, why_not_startable=why_not_startable),
        chooser=chooser,
        clock=clock,
        budgets=budgets,
    )
    return UseCases(
        budgets=budgets,
        registrar=registrar,
        decider=decider,
        viewer=viewer,
        scaler=scaler,
        reminders=reminders,
        freezer=freezer,
        scheduler=scheduler,
        chooser=chooser,
        overviews=OverviewReader(store, access, clock, why_not_startable),
        supervisor=supervisor,
        blind=ports.blind,
        first_pods=FirstPods(ports),
        builds=builds,
        build_promoter=BuildPromoter(store, access, promoter, sender),
        handlers=handlers,
    )
