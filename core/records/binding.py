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
        """Say of each part that is another one now what it was and what it is."""
        parts = zip(self.named.items(), now.named.values(), strict=True)
        return [
            f"{name} was {before or 'none'} and is {after or 'none'}"
            for (name, before), after in parts
            if before != after
        ]

    @property
    def named(self) -> dict[str, str]:
        """Its parts by the names that people know them by."""
        return {
            "the objects to be applied": self.bundle,
            "the active release": self.active or "",
            "the objects to be removed": ",".join(map(str, self.prune)),
            "the namespace": self.namespace or "",
        }

    def __str__(self) -> str:
        """Return it in one line, for the audit."""
        prune = ",".join(map(str, self.prune))
        return (
            f"bundle={self.bundle} active={self.active or ''} prune={prune} namespace={self.namespace or ''}"
        )
