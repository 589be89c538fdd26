"""Rows ↔ builds that the cluster makes and their logs; the only place that knows both."""

import zlib
from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Row

import orjson

from core.build_run import BuildRequest, BuildRun
from core.records.build import BuildEntry, BuildStatus
from storage.codec import (
    Columns,
    actor_of,
    actor_text,
    datetime_or_none,
    json,
    json_bytes,
    sentence_document,
    sentence_of,
    timestamp,
    timestamp_or_none,
)
from storage.keys import Vault


def build_run_row(run: BuildRun, vault: Vault) -> Columns:
    return {
        "id": run.id,
        "app": run.app,
        "status": run.status.value,
        "description": run.request.title,
        "git_sha": run.request.git_sha,
        "images": json(run.request.images),
        "request": vault.seal_bytes(zlib.compress(json_bytes(run.request))),
        "created_at": timestamp(run.created_at),
        "created_by": actor_text(run.created_by),
        "started_at": timestamp_or_none(run.started_at),
        "ended_at": timestamp_or_none(run.ended_at),
        "base": run.base,
        "job": run.job,
        "release": run.release,
        "reason": vault.seal(sentence_document(run.reason)),
        "log_since": run.log_since,
        "log_seen": json(list(run.log_seen)),
        "cleared": run.cleared,
        "source": run.request.source,
        "waits": vault.seal(run.waits) if run.waits else None,
    }


def build_run_of(row: Row, vault: Vault) -> BuildRun:
    return BuildRun(
        id=row["id"],
        app=row["app"],
        request=BuildRequest(**orjson.loads(zlib.decompress(vault.unseal_bytes(row["request"])))),
        status=BuildStatus(row["status"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=actor_of(row["created_by"]),
        started_at=datetime_or_none(row["started_at"]),
        ended_at=datetime_or_none(row["ended_at"]),
        base=row["base"],
        job=row["job"],
        release=row["release"],
        reason=sentence_of(vault.unseal(row["reason"])),
        log_since=row["log_since"],
        log_seen=tuple(orjson.loads(row["log_seen"])),
        cleared=bool(row["cleared"]),
        waits=vault.unseal(row["waits"]) if row["waits"] else "",
    )


def build_run_entry_of(row: Row) -> BuildEntry:
    return BuildEntry(
        id=row["id"],
        app=row["app"],
        images=orjson.loads(row["images"]),
        description=row["description"],
        git_sha=row["git_sha"],
        status=BuildStatus(row["status"]),
        release=row["release"],
        started_at=datetime.fromisoformat(row["started_at"] or row["created_at"]),
        ended_at=datetime_or_none(row["ended_at"]),
        created_by=actor_of(row["created_by"]),
    )


def build_lines_row(build: str, number: int, lines: Sequence[str], vault: Vault) -> Columns:
    sealed = vault.seal_bytes(zlib.compress(json_bytes(list(lines))))
    return {"build": build, "number": number, "last": number + len(lines) - 1, "sealed": sealed}


def build_lines_of(row: Row, vault: Vault) -> list[tuple[int, str]]:
    lines = orjson.loads(zlib.decompress(vault.unseal_bytes(row["sealed"])))
    return list(enumerate(lines, start=row["number"]))


def push_row(mark: str, build: str, at: datetime, vault: Vault) -> Columns:
    return {"mark": push_mark(mark, vault), "build": build, "at": timestamp(at)}


def push_mark(mark: str, vault: Vault) -> str:
    return vault.keyed_digest("push", mark)
