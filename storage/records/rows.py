"""Rows ↔ apps, builds, releases and what is kept beside them; the only place that knows both."""

import zlib
from datetime import datetime
from sqlite3 import Row
from typing import TypeVar

import orjson

from core.records.app import App
from core.records.build import Build, BuildEntry, BuildStatus
from core.records.bundle import Bundle, BundleService, Ref
from core.records.environment import Environment
from core.records.freeze import Freeze
from core.records.host_account import HostAccount
from core.records.release import Release, ReleaseEntry, ReleaseStatus
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

# Columns of `release_entries` that are 0 or 1.
FLAGS = ("verified", "held", "withdrawn", "made_by_build", "build_held", "build_verified")

A = TypeVar("A", bound=HostAccount)


def app_row(app: App) -> Columns:
    return {
        "name": app.name,
        "created_at": timestamp(app.created_at),
        "created_by": actor_text(app.created_by),
        "channel": app.channel,
        "active": app.active_release,
        "token": app.token,
        "namespace_uid": app.namespace_uid,
    }


def app_of(row: Row) -> App:
    return App(
        name=row["name"],
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=actor_of(row["created_by"]),
        channel=row["channel"],
        active_release=row["active"],
        token=row["token"],
        namespace_uid=row["namespace_uid"],
        locked=bool(row["locked"]),
    )


def build_row(build: Build, vault: Vault) -> Columns:
    return {
        "id": build.id,
        "app": build.app,
        # A manifest may carry default values of variables.
        "manifest": vault.seal_bytes(zlib.compress(build.manifest.encode())),
        "images": json(build.images),
        "reused": json(build.reused),
        "description": build.description,
        # A few of many builds have one, and it is shown with one build only.
        "message": vault.seal_bytes(zlib.compress(build.message.encode())) if build.message else None,
        "git_sha": build.git_sha,
        "committed_at": timestamp_or_none(build.committed_at),
        "repository": build.repository,
        "status": build.status.value,
        "release": build.release,
        "started_at": timestamp(build.started_at),
        "ended_at": timestamp_or_none(build.ended_at),
        "created_by": actor_text(build.created_by),
    }


def build_of(row: Row, vault: Vault) -> Build:
    manifest = zlib.decompress(vault.unseal_bytes(row["manifest"])).decode()
    sealed = row["message"]
    message = zlib.decompress(vault.unseal_bytes(sealed)).decode() if sealed else ""
    committed_at = datetime_or_none(row["committed_at"])
    return Build(**_build_columns(row), manifest=manifest, message=message, committed_at=committed_at)


def build_entry_of(row: Row) -> BuildEntry:
    return BuildEntry(**_build_columns(row))


def _build_columns(row: Row) -> Columns:
    return {
        "id": row["id"],
        "app": row["app"],
        "images": orjson.loads(row["images"]),
        "reused": tuple(orjson.loads(row["reused"])),
        "description": row["description"],
        "git_sha": row["git_sha"],
        "repository": row["repository"],
        "status": BuildStatus(row["status"]),
        "release": row["release"],
        "started_at": datetime.fromisoformat(row["started_at"]),
        "ended_at": datetime_or_none(row["ended_at"]),
        "created_by": actor_of(row["created_by"]),
    }


def host_account_row(account: HostAccount, vault: Vault) -> Columns:
    return {
        "app": account.app,
        "host": account.host,
        "user": account.user,
        "sealed": vault.seal(account.secret),
        "created_at": timestamp(account.created_at),
        "created_by": actor_text(account.created_by),
    }


def host_account_of(kind: type[A], row: Row, vault: Vault) -> A:
    return kind(
        app=row["app"],
        host=row["host"],
        user=row["user"],
        secret=vault.unseal(row["sealed"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=actor_of(row["created_by"]),
    )


def freeze_row(freeze: Freeze, vault: Vault) -> Columns:
    return {
        "app": freeze.app,
        "reason": vault.seal(freeze.reason),
        "called_by": actor_text(freeze.by),
        "since": timestamp(freeze.since),
        "until": timestamp_or_none(freeze.until),
        "to_tell": int(freeze.to_tell),
    }


def freeze_of(row: Row, vault: Vault) -> Freeze:
    return Freeze(
        app=row["app"],
        reason=vault.unseal(row["reason"]),
        by=actor_of(row["called_by"]),
        since=datetime.fromisoformat(row["since"]),
        until=datetime_or_none(row["until"]),
        to_tell=bool(row["to_tell"]),
    )


def build_image_rows(build: Build) -> list[Columns]:
    # What a registry has made a digest of was a tag all the same.
    tags = dict.fromkeys(image.partition("@")[0] for image in build.images.values())
    return [{"app": build.app, "image": tag} for tag in tags]


def release_row(release: Release, vault: Vault) -> Columns:
    return {
        "id": release.id,
        "app": release.app,
        "sequence": release.sequence,
        "build": release.build,
        "environment": vault.seal(release.environment.pairs),
        "description": release.description,
        "created_at": timestamp(release.created_at),
        "created_by": actor_text(release.created_by),
        "copy_of": release.copy_of,
    }


def release_of(row: Row, vault: Vault) -> Release:
    pairs = vault.unseal(row["environment"])
    return Release(
        id=row["id"],
        app=row["app"],
        sequence=row["sequence"],
        build=row["build"],
        environment=Environment(tuple((key, value) for key, value in pairs)),
        description=row["description"],
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=actor_of(row["created_by"]),
        copy_of=row["copy_of"],
    )


def release_entry_of(row: Row) -> ReleaseEntry:
    flags = {name: bool(row[name]) for name in FLAGS}
    return ReleaseEntry(
        **flags,
        id=row["id"],
        app=row["app"],
        sequence=row["sequence"],
        build=row["build"],
        description=row["description"],
        created_at=datetime.fromisoformat(row["created_at"]),
        copy_of=row["copy_of"],
    )


def release_status_row(status: ReleaseStatus, vault: Vault) -> Columns:
    return {
        "release": status.release,
        "verified_at": timestamp_or_none(status.verified_at),
        "held": None if status.held is None else vault.seal(sentence_document(status.held)),
        "withdrawn": status.withdrawn,
        "spares_build": status.spares_build,
    }


def release_status_of(row: Row, vault: Vault) -> ReleaseStatus:
    return ReleaseStatus(
        release=row["release"],
        verified_at=datetime_or_none(row["verified_at"]),
        held=None if row["held"] is None else sentence_of(vault.unseal(row["held"])),
        withdrawn=bool(row["withdrawn"]),
        spares_build=bool(row["spares_build"]),
    )


def bundle_row(bundle: Bundle, sealed: bytes) -> Columns:
    return {
        "release": bundle.release,
        "app": bundle.app,
        "render_version": bundle.render_version,
        "sealed": sealed,
    }


def bundle_blob(bundle: Bundle, vault: Vault) -> bytes:
    document = {"objects": bundle.objects, "services": bundle.services, "digest": bundle.digest}
    # Compressed first: sealed bytes have no pattern left.
    return vault.seal_bytes(zlib.compress(json_bytes(document)))


def bundle_ref_rows(bundle: Bundle) -> list[Columns]:
    return [{"app": bundle.app, "kind": ref.kind, "name": ref.name} for ref in bundle.refs]


def bundle_of(row: Row, vault: Vault) -> Bundle:
    document = orjson.loads(zlib.decompress(vault.unseal_bytes(row["sealed"])))
    return Bundle(
        release=row["release"],
        app=row["app"],
        objects=tuple(document["objects"]),
        services=tuple(bundle_service_of(service) for service in document["services"]),
        digest=document["digest"],
        render_version=row["render_version"],
    )


def bundle_service_of(document: Columns) -> BundleService:
    # Before a bundle said what runs a service, it was a Deployment of the same name.
    workload = document.get("workload") or {"kind": "Deployment", "name": document["name"]}
    scaler = document.get("autoscaler")
    refs = {"workload": Ref(**workload), "autoscaler": Ref(**scaler) if scaler else None}
    return BundleService(**(document | refs))
