"""Whatever manifest is registered can be looked at, compared and promoted after any other: nothing between a build and a verdict breaks."""

from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings

from bot.views.release_diff import release_diff_text
from core.errors import Unexpected, UserError
from core.promotion import Phase
from tests.core.cluster.rendering.samples import AnyImage
from tests.core.manifest.grammar import SECRET, environments, manifests
from tests.core.world import ALICE, World, by
from tests.soak import times


async def carried_out(w: World, text: str, variables: Mapping[str, str]) -> Phase:
    """Register a manifest with an environment, look at the release, and promote it to its end."""
    caller = by(ALICE)
    if variables:
        await w.registrar.set_environment(caller, "myapp", tuple(variables.items()))
    made = await w.registrar.register_build(caller, "myapp", manifest=text, images=AnyImage())
    state = await w.viewer.release(caller, "myapp", made.release.id)
    assert SECRET not in " ".join(map(str, (*made.notes, *state.notes)))
    if (await w.store.read.app("myapp")).active_release:
        compared = await w.viewer.diff(caller, "myapp", made.release.id, None)
        assert SECRET not in release_diff_text(compared.diff, compared.before, compared.after)
    asked = await w.ask(made.release.id, force=True)
    return (await w.end(asked.promotion.id)).phase


@settings(
    max_examples=times(60, soak=3_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(manifests(), environments)
async def test_whatever_is_registered_is_promoted_or_refused_in_a_sentence(
    w: World, text: str, variables: Mapping[str, str]
):
    try:
        phase = await carried_out(w, text, variables)
    except UserError as refused:
        error = refused
    else:
        assert phase is Phase.RUNNING
        return
    assert not isinstance(error, Unexpected)
    assert SECRET not in f"{error}\n{error.hint}"
