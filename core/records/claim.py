"""Who wants to write into a namespace, as its anchor knows them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One promotion of one database, with its fencing token (engine rules 14 and 59).

    Attributes:
        installation: id of the database.
        token: the promotion's number; each that has touched anything has one of its own.
        promotion: its id. Two databases, one of them a copy, give the same number to different promotions.
        touched: it has begun to write, so an anchor with its number that names nobody is its own: before the anchor named
            promotions, it was claimed without.
    """

    installation: str
    token: int
    promotion: str
    touched: bool = False
