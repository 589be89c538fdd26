"""What the token of a job asks for once: whoever has recorded it could send it again, and a release would go out that somebody has gone back from."""

from core.actor import Caller
from core.errors import Conflict
from core.ports.store import Transaction


async def use_once(tx: Transaction, caller: Caller, app: str, *, promotes: bool = True) -> None:
    """Note that the token of a job has asked for a promotion of an app; raises Conflict where it had before. Any other caller may ask again.

    Args:
        tx: what writes the promotion as well.
        caller: who asks.
        app: for a promotion of which app.
        promotes: whether what is asked for comes to one.
    """
    if promotes and caller.jwt_id is not None and not await tx.use_jwt_id(app, caller.jwt_id):
        raise Conflict(
            f"this token of {caller.actor.plain} has asked for a promotion of {app} already, and asks once",
            hint="let the job ask for a new token (docs/ci.md)",
        )
