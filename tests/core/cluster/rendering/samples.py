"""Releases to render, and the golden files to hold them against."""

import os
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from core.actor import Actor
from core.cluster.bundling import render_bundle
from core.manifest.convox_yml import parse_manifest, resolve_images
from core.policy.authorization import Rules
from core.records.app import App
from core.records.build import Build
from core.records.bundle import Bundle
from core.records.environment import Environment
from core.records.release import Release
from core.records.router import NO_ROUTER, Router

NOW = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
CI = Actor("token", "ci")
GOLDEN = Path(__file__).parent / "golden"
ANY_IMAGE = "registry.example/myapp/any:v1"


class AnyImage(dict[str, str]):
    """The same image for every service."""

    def get(self, key: str, default: Any = None) -> str:
        return ANY_IMAGE


def bundle(
    manifest: str,
    *,
    environment: Mapping[str, str] | None = None,
    images: Mapping[str, str] | None = None,
    registered: Mapping[str, str] | None = None,
    app: str = "myapp",
    release: str = "RABCDEFGHIJ",
    rules: Rules | None = None,
    description: str = "build 89df13d5bf Greet by name",
    rack: str = "convox",
    router: Router = NO_ROUTER,
    login_hosts: Collection[str] = (),
) -> Bundle:
    """Render a manifest as the bot would; `registered` are the build's images as they were stored."""
    values = Environment(tuple((environment or {}).items()))
    loaded = parse_manifest(manifest, values)
    given = AnyImage() if images is None else images
    build = Build(
        id="BABCDEFGHIJ",
        app=app,
        manifest=manifest,
        images=resolve_images(loaded, given) if registered is None else registered,
        description=description,
        git_sha="89df13d5bf64a21f8a9f2bfdad8654ecb144d7f6",
        release=release,
        started_at=NOW,
        ended_at=NOW,
        created_by=CI,
    )
    made = Release(
        id=release,
        app=app,
        sequence=1,
        build=build.id,
        environment=values,
        description=description,
        created_at=NOW,
        created_by=CI,
    )
    passwords = {each.name: f"password-of-{each.name}" for each in loaded.made}
    return render_bundle(
        made,
        build,
        loaded,
        App(name=app, created_at=NOW, created_by=CI),
        rules or Rules(),
        passwords,
        rack=rack,
        login_hosts=login_hosts,
        router=router,
    )


def one(found: Bundle, kind: str, name: str | None = None) -> Any:
    """Return the one object of a kind, or the one of that name."""
    matching = [o for o in found.objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    assert len(matching) == 1, [o["metadata"]["name"] for o in found.objects]
    return matching[0]


def container(found: Bundle, name: str | None = None) -> Any:
    return one(found, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]


def hold(found: Bundle, name: str) -> None:
    """Compare with golden/NAME.yaml; `UPDATE_GOLDEN=1` writes it anew, to be reviewed as a document."""
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(
            yaml.safe_dump_all(found.objects, sort_keys=False, explicit_start=True, width=120),
            encoding="utf-8",
        )
    assert list(yaml.safe_load_all(path.read_text(encoding="utf-8"))) == list(found.objects)
