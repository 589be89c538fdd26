"""Seats of an approval and who sits on them: one person fills one seat, and whoever can fill several keeps nobody else out.

A maximum bipartite matching by augmenting paths (Kuhn): a person who was seated first moves to another seat where that makes room.
"""

from collections.abc import Sequence

from core.actor import Actor
from core.policy.people import Groups, among
from core.policy.rules import ApprovalRule


def seats_of(rule: ApprovalRule, needed: int) -> list[tuple[str, ...]]:
    """Return who may fill each of the seats that a promotion needs; () is whoever holds `approve`.

    How many are needed is fixed with the request, who may fill them is today's: where the policy has fewer seats by now, the others
    are for any of their people.
    """
    seats = list(rule.seats)
    everybody = tuple(dict.fromkeys(who for seat in seats for who in seat)) or rule.people
    return [*seats, *([everybody] * max(0, needed - len(seats)))]


def filled(people: Sequence[Actor], seats: Sequence[tuple[str, ...]], groups: Groups) -> int:
    """Return how many seats these people fill at most, each one of them."""
    sitting: dict[int, int] = {}

    def seat(person: int, tried: set[int]) -> bool:
        for number, who in enumerate(seats):
            if number in tried or (who and not among(people[person], who, groups)):
                continue
            tried.add(number)
            if number not in sitting or seat(sitting[number], tried):
                sitting[number] = person
                return True
        return False

    return sum(seat(person, set()) for person in range(len(people)))


def empty(people: Sequence[Actor], seats: Sequence[tuple[str, ...]], groups: Groups) -> list[tuple[str, ...]]:
    """Return each seat that somebody else could still fill: one without which these people fill no fewer.

    More than are missing, where it depends on who comes next who moves to which seat.
    """
    before = filled(people, seats, groups)
    return [
        seat
        for n, seat in enumerate(seats)
        if filled(people, [*seats[:n], *seats[n + 1 :]], groups) == before
    ]
