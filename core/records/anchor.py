"""What an anchor says: whose the namespace of an app is, and how far the audit was when a promotion ended last."""

from dataclasses import dataclass

# Stands in the place of a promotion where an operator has adopted the namespace and nothing was promoted since.
ADOPTED = "adopted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The end of the audit at a moment: any later audit of the same database has this very row.

    Attributes:
        rows: how many there were; the last one has this number.
        hash: of that row, which covers all before it.
    """

    rows: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One anchor, as it was read (engine rule 14).

    Attributes:
        installation: id of the database that owns the namespace, "" where it names none.
        token: the newest fencing number, 0 where it has none that can be read.
        promotion: which one claimed it last; `ADOPTED` after an adoption, "" where it is not kept.
        namespace_uid: of the namespace that it was made in.
        settled: the promotion that ended last, "" where none has said so.
        head: of the audit at that moment, None where it is not kept.
    """

    installation: str = ""
    token: int = 0
    promotion: str = ""
    namespace_uid: str = ""
    settled: str = ""
    head: AuditHead | None = None

    def head_of(self, installation: str) -> AuditHead | None:
        """Return the head where it is of the audit of this installation: that of another one says nothing of it."""
        return self.head if self.installation == installation else None

    @property
    def under_way(self) -> bool:
        """Whether its last promotion has not been seen to end; False where a version has written it that told no ends."""
        return self.settled not in {"", self.promotion} and self.promotion != ADOPTED
