"""What a rollout does that an approver has to know before it begins; told on the card for as long as it is not over."""

from core.records.bundle import Bundle


def cautions(bundle: Bundle, *, first: bool, variables_of: str | None = None) -> tuple[str, ...]:
    """Return a sentence for each.

    Args:
        bundle: what will run.
        first: the app runs nothing yet, so nothing can be down.
        variables_of: the release whose variables a rollback takes instead of its own.
    """
    return (*_downtime(bundle, first=first), *_variables(variables_of))


def _variables(release: str | None) -> tuple[str, ...]:
    if release is None:
        return ()
    return (f"it goes back to an older build with the variables of now, those of {release}",)


def _downtime(bundle: Bundle, *, first: bool) -> tuple[str, ...]:
    recreated = sorted(service.name for service in bundle.services if service.recreates)
    if first or not recreated:
        return ()
    begin = "the rollout begins"
    if len(recreated) < len(bundle.services):
        begin = "the rest is verified"
    one = len(recreated) == 1
    until = "its new process is" if one else "their new processes are"
    return (f"{', '.join(recreated)} {'is' if one else 'are'} down from when {begin} until {until} ready",)
