"""The side of builds: what keeps sources, and makes images of them."""

from dataclasses import dataclass

from bot.settings import Settings
from bot.wiring.disk import why_nothing_starts
from bot.wiring.slack_side import SlackSide
from core.actor import BOT
from core.building.clones import CloneReceiver
from core.building.driver import BuildPorts
from core.building.supervisor import BuildSupervisor
from core.clock import Clock
from core.cluster.builds.settings import BUILD_IMAGE, NAMESPACED_IMAGE, BuildSettings
from core.policy.rules import Verbosity
from core.ports.builds import BuildCluster
from core.records.git_address import INSECURE, SECURE
from core.records.registry_account import RegistryAccount, host_of
from core.usecases.build_starter import BuildStarter
from core.usecases.build_viewer import BuildViewer
from core.usecases.push_receiver import PushReceiver
from core.usecases.registrar import Registrar
from core.usecases.source_registrar import SourceRegistrar
from storage.filesystem import LEAST_FREE_DISK
from storage.sources import SourceFolder
from storage.store import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSide:
    """What makes builds of sources."""

    sources: SourceRegistrar
    starter: BuildStarter
    viewer: BuildViewer
    clones: CloneReceiver
    supervisor: BuildSupervisor
    pushes: PushReceiver


def new_build_side(
    settings: Settings,
    store: SqliteStore,
    slack: SlackSide,
    registrar: Registrar,
    builders: BuildCluster,
    clock: Clock,
) -> BuildSide:
    """Put together what keeps sources and drives their builds."""

    def why_not_startable() -> str:
        return why_nothing_starts(store)

    def verbosity(app: str, channel: str | None) -> Verbosity:
        return slack.access.policy.verbosity(app, channel)  # of now: it may change while a build goes on

    folder = SourceFolder(settings.convox_database, clock, least_free=LEAST_FREE_DISK)
    most = settings.convox_max_source << 20
    ports = BuildPorts(
        store=store,
        cluster=builders,
        clock=clock,
        announcer=slack.sender,
        release=registrar.release_build,
        forget_source=folder.delete,
        verbosity=verbosity,
        seconds=settings.convox_build_timeout,
    )
    supervisor = BuildSupervisor(ports)
    starter = BuildStarter(
        store,
        slack.access,
        builders,
        folder,
        supervisor,
        slack.sender,
        why_not_startable=why_not_startable,
        git_schemes=git_schemes(settings),
        copy_images=settings.convox_build_copies,
    )
    return BuildSide(
        sources=SourceRegistrar(store, folder, slack.access, why_not_startable, builders.why_not, most=most),
        starter=starter,
        viewer=BuildViewer(store, slack.access, folder),
        clones=CloneReceiver(store, builders, supervisor, slack.sender, slack.access.rules),
        supervisor=supervisor,
        pushes=PushReceiver(store, slack.access, starter, clock),
    )


def git_schemes(settings: Settings) -> frozenset[str]:
    """Return which addresses are cloned."""
    return INSECURE if settings.convox_git_insecure else SECURE


def build_settings(settings: Settings, clock: Clock) -> BuildSettings:
    """Return what the cluster is to know of how it builds."""
    registry, password = settings.convox_registry or "", settings.convox_registry_password
    account = None
    if password is not None:
        account = RegistryAccount(
            app="",
            host=host_of(f"{registry}/app"),
            user=settings.convox_registry_user or "",
            secret=password.get_secret_value(),
            created_at=clock.now(),
            created_by=BOT,
        )
    return BuildSettings(
        registry=registry,
        account=account,
        address=settings.convox_build_address or "",
        image=_image(settings),
        cpu=settings.convox_build_cpu,
        memory=settings.convox_build_memory,
        disk=settings.convox_build_disk,
        seconds=settings.convox_build_timeout,
        user_namespaces=settings.convox_build_user_namespaces,
        git_schemes=git_schemes(settings),
    )


def _image(settings: Settings) -> str:
    """Return what builds: by default what fits to who it is."""
    if settings.convox_build_user_namespaces and settings.convox_build_image == BUILD_IMAGE:
        return NAMESPACED_IMAGE
    return settings.convox_build_image
