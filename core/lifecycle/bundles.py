"""What an approval is bound to: the bundle, the active release, what is pruned, and the namespace."""

import asyncio

from core.lifecycle.change_cause import change_cause
from core.lifecycle.passwords import passwords_of
from core.manifest.convox_yml import parse_manifest
from core.policy.authorization import Rules
from core.ports.cluster import Cluster
from core.ports.store import StoreReader
from core.promotion import Promotion
from core.records.app import App
from core.records.binding import Binding
from core.records.build import Build
from core.records.bundle import Bundle, Ref
from core.records.release import Release


async def bundle_of(read: StoreReader, cluster: Cluster, release: Release, app: App, rules: Rules) -> Bundle:
    """Return the release's stored bundle, or render it; a stored one is never rendered anew (rule 16).

    It may take long, so nobody calls it in a transaction.

    Raises:
        Invalid: the manifest does not fit the environment, or cannot be rendered.
    """
    stored = await read.bundle(release.id)
    if stored is not None:
        return stored
    assert release.build is not None
    build = await read.build(app.name, release.build)
    return await rendered(read, cluster, release, build, app, rules)


async def rendered(
    read: StoreReader, cluster: Cluster, release: Release, build: Build, app: App, rules: Rules
) -> Bundle:
    """Render a release, off the loop; raises as `bundle_of` does."""
    manifest = await asyncio.to_thread(parse_manifest, build.manifest, release.environment, stored=True)
    passwords = await passwords_of(read, app.name, (each.name for each in manifest.made))
    hosts = frozenset(login.host for login in await read.registry_logins(app.name))
    return await asyncio.to_thread(cluster.render, release, build, manifest, app, rules, passwords, hosts)


async def sendable(read: StoreReader, cluster: Cluster, promotion: Promotion, bundle: Bundle) -> Bundle:
    """Return a stored bundle as a promotion sends it, whenever it was rendered.

    It gets the logins at registries that the app has now, and its objects say what they belong to and why they are sent.
    """
    app = await read.app(promotion.app)
    bundle = cluster.with_logins(bundle, app, await read.registry_logins(app.name))
    return cluster.annotated(bundle, change_cause(promotion, bundle.release))


async def prunable(tx: StoreReader, cluster: Cluster, app: str, bundle: Bundle) -> tuple[Ref, ...]:
    """Return what earlier bundles of the app made that this one no longer has (engine rule 26)."""
    return tuple(sorted(await tx.bundle_refs(app, cluster.pruned_kinds) - set(bundle.refs)))


async def current_binding(
    tx: StoreReader, cluster: Cluster, app: App, bundle: Bundle, *, follows: tuple[str, ...] = ()
) -> Binding:
    """Return what an approval is bound to now (rule 9); `follows` is as in `Binding`."""
    return Binding(
        bundle=await tx.keyed_digest(bundle.digest),
        active=app.active_release,
        prune=await prunable(tx, cluster, app.name, bundle),
        namespace=app.namespace_uid,
        follows=follows,
    )
