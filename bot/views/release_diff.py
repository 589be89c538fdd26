"""`releases diff`: what another release changes, without a value."""

from collections.abc import Iterator

from bot.views.tables import facts
from core.lifecycle.release_diff import ReleaseDiff

# Lines of a manifest's diff that are shown; whoever needs more compares `releases manifest`.
MOST_LINES = 60


def release_diff_text(diff: ReleaseDiff, before: str, after: str) -> str:
    """Return the block of facts of `releases diff`."""
    old, new = diff.builds
    pairs = [("Releases", f"{before} → {after}")]
    pairs.append(("Build", (new or "none") if old == new else f"{old or 'none'} → {new or 'none'}"))
    before_sha, after_sha = diff.shas
    if old != new and (before_sha or after_sha):
        pairs.append(("Commit", f"{before_sha or 'unknown'} → {after_sha or 'unknown'}"))
    if diff.images:
        rows = [f"{name}: {one or 'none'} → {other or 'none'}" for name, (one, other) in diff.images.items()]
        pairs.append(("Images", "\n".join(rows)))
    if diff.environment:
        pairs.append(("Env", str(diff.environment)))
    if diff.manifest:
        shown, more = diff.manifest[:MOST_LINES], len(diff.manifest) - MOST_LINES
        rest = [f"… {more} more lines"] if more > 0 else []
        pairs.append(("Manifest", "\n".join([*shown, *rest])))
    if objects := list(_objects(diff)):
        pairs.append(("Objects", "\n".join(objects)))
    if diff.pruned:
        pairs.append(("Then removed", "\n".join(map(str, diff.pruned))))
    if len(pairs) == 2 and old == new:
        pairs.append(("Difference", "none but its id: every pod is started anew"))
    return facts(pairs)


def _objects(diff: ReleaseDiff) -> Iterator[str]:
    yield from (f"+ {ref}" for ref in diff.added)
    yield from (f"- {ref}" for ref in diff.removed)
    yield from (f"~ {ref}: {', '.join(fields)}" for ref, fields in diff.changed.items())
