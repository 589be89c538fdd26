"""Everything that makes records, for whoever passes requests on: apps, builds with their release, and environment changes."""

from core.usecases.app_registrar import AppRegistrar
from core.usecases.build_registrar import BuildRegistrar
from core.usecases.environment_registrar import EnvironmentRegistrar


class Registrar(AppRegistrar, BuildRegistrar, EnvironmentRegistrar):
    """What may be made; each subject has its own file."""
