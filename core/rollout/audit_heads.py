"""The head of the audit, written into the cluster after each verdict: whoever cuts back or rewrites the database is found out."""

import logging

from core.errors import Rejected, Unavailable, Unreachable
from core.promotion import Promotion
from core.records.app import adopt_command
from core.redaction import quiet
from core.rollout.effects import RolloutPorts
from core.rollout.lineage import claim_of

log = logging.getLogger(__name__)


class AuditHeadWriter:
    """Lets the anchor of an app remember how far the audit was when a promotion had ended (engine rule 14)."""

    def __init__(self, ports: RolloutPorts) -> None:
        self._ports = ports

    async def keep(self, *promotions: Promotion) -> None:
        """Write it for each that has touched the cluster, one after the other; one that is written already is left alone.

        A head that this database's audit does not have is never written over: only an adoption does that.
        No verdict waits for it, and none changes by it: where the cluster does not take it the next promotion or the next start
        of the bot brings it.
        """
        for promotion in promotions:
            try:
                await self._keep(promotion)
            except (Rejected, Unreachable, Unavailable) as error:
                log.info(
                    "the cluster does not remember the audit after %s: %s", promotion.id, quiet(str(error))
                )
            except Exception:
                log.exception("the cluster does not remember the audit after %s", promotion.id)

    async def _keep(self, promotion: Promotion) -> None:
        read = self._ports.store.read
        head = await read.audit_head()
        if head is None or not is_anchored(promotion):
            return
        app = await read.any_app(promotion.app)
        claim = await claim_of(read, promotion)
        before = await self._ports.cluster.audit_head(app.name, claim)
        if before is not None and not await read.audit_has(before):
            # It is the only proof that there was more, or something else.
            log.warning(
                "the cluster keeps row %d of the audit that it remembers for %s, since this database does not have that row: it was"
                " cut back or rewritten, or restored from a backup; `convox-bot audit verify --cluster` tells more, and `%s` lets the"
                " cluster remember this one",
                before.rows,
                app.name,
                adopt_command(app.name),
            )
            return
        await self._ports.cluster.keep_audit_head(app, claim, head)


def is_anchored(promotion: Promotion) -> bool:
    """Tell whether the anchor is this promotion's to write to: it has touched something, and no other one took its place."""
    return promotion.settled and promotion.touched_at is not None and promotion.superseded_by is None
