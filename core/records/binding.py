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
        follows: the releases that may be active instead when its turn comes: of one that waits, what was rolling out when it was asked
            for, and where that would go back to. With them people approve it over whichever of these is active by then.
    """

    bundle: str
    active: str | None
    prune: tuple[Ref, ...]
    namespace: str | None
    follows: tuple[str, ...] = ()

    def changes(self, now: "Binding") -> list[str]:
        """Say of each part that is another one now what has become of it, but for what was known to come before it."""
        active, namespace = self.active, self.namespace
        if now.active in self.follows:
            active = now.active
        if self.follows and namespace is None:
            # What goes out before it is the first that is written there.
            namespace = now.namespace
        said = [
            f"{name} was {before or 'none'} and is {after or 'none'}"
            for name, before, after in (
                ("the bundle of objects to be applied", self.bundle, now.bundle),
                ("the active release", active, now.active),
                ("the namespace", namespace, now.namespace),
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
        follows = f" follows={','.join(self.follows)}" if self.follows else ""
        return f"bundle={self.bundle} active={self.active or ''} prune={prune} namespace={self.namespace or ''}{follows}"
