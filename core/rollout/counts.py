"""How many pods a workload is given: the manifest's count once that has changed, else what a person has made of it.

Everything is compared with the baseline, which never changes: a resume decides as the first try did (engine rule 11).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from core.records.bundle import BundleService, Ref
from core.records.intent import Applied, BaselineObject, Intent
from core.records.workload_count import WorkloadCount


@dataclass(frozen=True, slots=True, kw_only=True)
class PodCounts:
    """The counts that one stage sets through /scale.

    Attributes:
        asked: workload → the count of the manifest that is applied.
        given: workload → the count that it gets whatever there is.
        remade: workload → the count that it gets where an apply turns out to have made it anew, since somebody has deleted
            it in the middle (engine rule 58).
        known: uids of what was there before that apply.
    """

    asked: Mapping[Ref, int]
    given: Mapping[Ref, int]
    remade: Mapping[Ref, int]
    known: frozenset[str]

    def of(self, applied: Applied) -> int | None:
        """Return the count to set after an apply, None where the live one stays.

        The uid decides, not whether this very request has made the object: a crash between making and scaling is mended.
        """
        if applied.ref in self.given:
            return self.given[applied.ref]
        return None if applied.uid in self.known else self.remade.get(applied.ref)


def pod_counts(
    counted: Iterable[BundleService],
    intent: Intent,
    *,
    scaled: Collection[Ref],
    seen: Mapping[str, int],
    known: Iterable[str] = (),
    autoscaled: Collection[str] = (),
) -> PodCounts:
    """Return the counts to set; what is in none of them keeps the count that it has, 0 included.

    Args:
        counted: the services of the bundle whose workload has a count.
        intent: the baseline.
        scaled: workloads whose count this promotion, or one that it took over, may have set: they get the recorded one back.
        seen: service → pods that its workload asked for when this promotion saw it last.
        known: uids that this promotion has applied to already, beside those of the baseline.
        autoscaled: services that an autoscaler scaled before the promotion: without it they keep what it has made of them.
    """
    asked: dict[Ref, int] = {}
    given: dict[Ref, int] = {}
    remade: dict[Ref, int] = {}
    for service in counted:
        ref, found = service.workload, intent.of(service.workload)
        asked[ref] = service.count
        if found is None or not found.existed:
            given[ref] = _anew(service, found)
        elif service.autoscaler is not None:
            # Its count is its autoscaler's, but for a start below the least: one at 0 scales nothing (engine rule 57).
            if _is_changed(service, found) and (found.replicas or 0) < service.count:
                given[ref] = service.count
            else:
                remade[ref] = seen.get(service.name, _anew(service, found))
        elif _is_changed(service, found) and service.name not in autoscaled:
            given[ref] = service.count
        elif ref in scaled and found.replicas is not None:
            given[ref] = found.replicas
        else:
            remade[ref] = seen.get(service.name, _anew(service, found))
    uids = {o.uid for o in intent.objects if o.existed}
    return PodCounts(asked=asked, given=given, remade=remade, known=frozenset({*uids, *known}))


def _is_changed(service: BundleService, found: BaselineObject) -> bool:
    return found.count not in {None, service.count}


def _anew(service: BundleService, found: BaselineObject | None) -> int:
    """Return the count of a workload that is made: what it had, while its manifest asks for as many as then."""
    if found is None or found.replicas is None or found.count not in {None, service.count}:
        return service.count
    return found.replicas


def recorded(intent: Intent, counts: Mapping[Ref, WorkloadCount]) -> Intent:
    """Return the baseline with what is recorded of each workload: its manifest's count, and its own where it is not there."""
    return replace(
        intent,
        objects=tuple(_recorded(o, counts[o.ref]) if o.ref in counts else o for o in intent.objects),
    )


def _recorded(found: BaselineObject, known: WorkloadCount) -> BaselineObject:
    return replace(found, count=known.count, replicas=found.replicas if found.existed else known.replicas)
