"""What an approval is bound to, in parts that can be compared and named: you approve exactly what runs (rule 9)."""

from dataclasses import dataclass

from core.records.bundle import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a promotion would do to the cluster, as people approve it.

    Attributes:
        bundle: an HMAC of the objects to be applied, since a plain hash of values could be guessed (rule 18).
        active: the release that is active, None before the first.
        prune: the objects that would be removed.
        namespace: the uid of the namespace, None before it was first written to.
    """

    bundle: str
    active: str | None
    prune: tuple[Ref, ...]
    namespace: str | None

    def changes(self, now: "Binding") -> list[str]:
        """Say of each part that is another one now what has become of it."""
        said = [
            f"{name} was {before or 'none'} and is {after or 'none'}"
            for name, before, after in (
                ("the bundle of objects to be applied", self.bundle, now.bundle),
                ("the active release", self.active, now.active),
                ("the namespace", self.namespace, now.namespace),
            )
            if before != after
        ]
        if more := sorted(set(now.prune) - set(self.prune)):
            said.append(f"it would remove as well: {', '.join(map(str, more))}")
        if less := sorted(set(self.prune) - set(now.prune)):
            said.append(f"it would no longer remove: {', '.join(map(str, less))}")
        return said

    def __str__(self) -> str:
        """Return it in one line, for the audit."""
        prune = ",".join(map(str, self.prune))
        return (
            f"bundle={self.bundle} active={self.active or ''} prune={prune} namespace={self.namespace or ''}"
        )
