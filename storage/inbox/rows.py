"""Rows ↔ deliveries."""

from datetime import datetime
from sqlite3 import Row

from core.ports.inbox import Delivery
from storage.codec import Columns, timestamp
from storage.keys import Vault


def delivery_row(dedupe_key: str, kind: str, payload: bytes, received_at: datetime, vault: Vault) -> Columns:
    return {
        "mark": vault.keyed_digest("intake", dedupe_key),
        "kind": kind,
        "payload": vault.seal_bytes(payload),
        "received_at": timestamp(received_at),
    }


def delivery_of(row: Row, vault: Vault) -> Delivery:
    return Delivery(
        id=row["id"],
        kind=row["kind"],
        payload=vault.unseal_bytes(row["payload"]),
        received_at=datetime.fromisoformat(row["received_at"]),
        done=row["done_at"] is not None,
    )
