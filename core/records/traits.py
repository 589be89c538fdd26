"""What becomes of an object, by its kind: all that a rollout has to know of kinds, which it never names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a promotion may do with the objects of one kind.

    Attributes:
        counted: a count of its own is set through /scale and survives every release (engine rule 20).
        pruned: it goes once no release of the app has it any more. What is kept holds data or may still be mounted
            (engine rules 26 and 32), and serves nobody by itself.
        removed: it goes with a first release that failed and has nothing to go back to (engine rule 4).
        after_verdict: it is applied once everything before it is verified, and reverted first on the way back: it sends
            traffic, or load, to what a release that is not believed yet would have to bear (engine rule 25).
        scales: it sets the count of the workload of its name, which is nobody else's while it is there (engine rule 20).
        suspended: before it is removed it is kept from starting anything more, and what it has started may end (engine
            rule 29).
    """

    counted: bool
    pruned: bool
    removed: bool
    after_verdict: bool
    scales: bool = False
    suspended: bool = False
