"""Logins at registries, and tags that become digests where those answer."""

import sqlite3
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.errors import Busy, Invalid, NotFound, Rejected, Unauthenticated, Unavailable, Unreachable
from core.lifecycle.redacting import redactor_of_releases
from core.promotion import Phase
from core.records.registry_account import RegistryAccount, host_of
from core.sentence import CommandLine, Sentence
from core.usecases.registrar import Registrar
from tests.core.world import ALICE, BOB, World, by, until
from tests.fakes import progressing

APP = "myapp"
MANIFEST = "services:\n  web:\n    build: .\n  api:\n    build: .\n  worker:\n    build: .\n"
DIGEST = "sha256:" + "a" * 64


@dataclass
class Registry:
    """Knows what tags name, but for hosts that are down."""

    asked: list[tuple[str, RegistryAccount | None]] = field(default_factory=list)

    async def digest(self, image: str, login: RegistryAccount | None) -> str:
        self.asked.append((image, login))
        if image.startswith("down."):
            raise Unreachable("down.example does not answer")
        if image.startswith("closed.") and login is None:
            raise Unauthenticated("closed.example asks for a login")
        return DIGEST


async def test_tags_become_digests_where_the_registry_answers(w: World):
    registry = Registry()
    registrar = Registrar(w.store, w.cluster, w.registrar._access, str, registry)
    await registrar.add_registry(by(ALICE), APP, host="registry.example", user="bot", password="pa:ss")
    pinned = f"registry.example/worker@sha256:{'0' * 64}"
    images = {"web": "registry.example/web:v1", "api": "down.example/api:v1", "worker": pinned}
    made = await registrar.register_build(by(ALICE), APP, manifest=MANIFEST, images=images)
    assert made.build.images == {**images, "web": f"registry.example/web:v1@{DIGEST}"}
    assert made.notes == (Sentence.of("api is not pinned: down.example does not answer"),)
    assert [(image, login and login.user) for image, login in registry.asked] == [
        ("down.example/api:v1", None),
        ("registry.example/web:v1", "bot"),
    ]


async def test_who_lacks_a_login_is_told_the_command_as_it_is_typed_where_they_are(w: World):
    registrar = Registrar(w.store, w.cluster, w.registrar._access, str, Registry())
    images = {"web": "closed.example/web:v1", "api": "registry.example/a:1", "worker": "registry.example/w:1"}
    made = await registrar.register_build(by(ALICE), APP, manifest=MANIFEST, images=images)
    command = CommandLine(f"registries add closed.example USER -a {APP}")
    assert made.notes == (Sentence.of("web is not pinned: closed.example asks for a login: ", command),)


async def test_where_nobody_is_asked_tags_stay_tags(w: World):
    images = dict.fromkeys(("web", "api", "worker"), "registry.example/web:v1")
    made = await w.build(text=MANIFEST, **images)
    assert (made.build.images, made.notes) == (images, ())


async def test_a_login_is_kept_sealed_and_shown_without_its_password(w: World, tmp_path: Path):
    for user, password in (("old", "correct-horse"), ("bot", "battery-staple")):
        host = await w.registrar.add_registry(
            by(BOB), APP, host="https://GHCR.io/", user=user, password=password
        )
    await w.registrar.add_registry(by(ALICE), APP, host="index.docker.io", user="hub", password="x")
    assert host == "ghcr.io"
    seen = await w.viewer.registries(by(ALICE), APP)
    assert [(each.host, each.user, each.secret) for each in seen] == [
        ("docker.io", "hub", ""),
        ("ghcr.io", "bot", ""),
    ]
    kept = {each.host: each for each in await w.store.read.registry_logins(APP)}
    assert (kept["ghcr.io"].secret, kept["ghcr.io"].created_by) == ("battery-staple", BOB)
    assert "battery" not in repr(kept)
    with sqlite3.connect(tmp_path / "convox.db") as connection:
        assert "battery-staple" not in "".join(connection.iterdump())
    connection.close()


async def test_a_login_is_forgotten(w: World):
    await w.registrar.add_registry(by(ALICE), APP, host="ghcr.io", user="bot", password="x")
    assert await w.registrar.remove_registry(by(ALICE), APP, "GHCR.io") == "ghcr.io"
    assert await w.viewer.registries(by(ALICE), APP) == []
    with pytest.raises(NotFound, match=r"^myapp has no login at ghcr\.io$"):
        await w.registrar.remove_registry(by(ALICE), APP, "ghcr.io")


def renewed(w: World) -> list[str]:
    return [each for each in w.cluster.requests if each.startswith("renew logins")]


async def test_what_runs_has_a_login_at_once_and_loses_it_before_it_is_forgotten(w: World):
    await w.registrar.add_registry(by(ALICE), APP, host="ghcr.io", user="bot", password="old")
    assert renewed(w) == []  # nothing was promoted, so nobody pulls with it
    await w.good()
    await w.registrar.add_registry(by(ALICE), APP, host="ghcr.io", user="bot", password="new")
    await w.registrar.add_registry(by(ALICE), APP, host="quay.io", user="bot", password="other")
    await w.registrar.remove_registry(by(ALICE), APP, "ghcr.io")
    assert renewed(w) == [
        "renew logins ghcr.io=new",
        "renew logins ghcr.io=new quay.io=other",
        "renew logins quay.io=other",
    ]


@pytest.mark.parametrize("error", [Unreachable("it does not answer"), Rejected("somebody else has it")])
async def test_a_cluster_that_cannot_be_told_is_said_and_nothing_is_forgotten_that_it_still_has(
    w: World, error: Exception
):
    await w.good()

    def refuse(request: str) -> None:
        if request.startswith("renew logins"):
            raise error

    w.cluster.refuse = refuse
    with pytest.raises(
        Unavailable, match=r"^the login at ghcr\.io is kept, but the cluster has not got it: "
    ):
        await w.registrar.add_registry(by(ALICE), APP, host="ghcr.io", user="bot", password="x")
    with pytest.raises(Unavailable, match="^nothing was removed, since the cluster still has it: "):
        await w.registrar.remove_registry(by(ALICE), APP, "ghcr.io")
    assert [each.host for each in await w.viewer.registries(by(ALICE), APP)] == ["ghcr.io"]


async def test_no_login_is_removed_while_a_rollout_may_bring_it_back(w: World):
    await w.registrar.add_registry(by(ALICE), APP, host="ghcr.io", user="bot", password="x")
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    flying = (await w.ask(slow)).promotion
    await until(w, flying.id, Phase.UPDATING)
    with pytest.raises(Busy, match="^app is currently updating|is being promoted"):
        await w.registrar.remove_registry(by(ALICE), APP, "ghcr.io")


async def test_what_pods_say_holds_no_password_of_a_login(w: World):
    await w.registrar.add_registry(by(ALICE), APP, host="ghcr.io", user="bot", password="correct-horse")
    release = (await w.build()).release.id
    redact = await redactor_of_releases(w.store.read, APP, [release])
    auth = b64encode(b"bot:correct-horse").decode()
    assert redact(f"pulling as bot with correct-horse ({auth})") == "pulling as bot with **** (****)"
    await w.registrar.add_registry(by(ALICE), APP, host="ghcr.io", user="bot", password="battery-staple")
    redact = await redactor_of_releases(w.store.read, APP, [release])
    assert redact("battery-staple") == "****"


@pytest.mark.parametrize(
    ("host", "user", "password"), [("not a host", "u", "p"), ("ghcr.io", "", "p"), ("ghcr.io", "u", "")]
)
async def test_what_is_no_login_is_refused(w: World, host: str, user: str, password: str):
    with pytest.raises(Invalid):
        await w.registrar.add_registry(by(ALICE), APP, host=host, user=user, password=password)


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("nginx:1", "docker.io"),
        ("team/web", "docker.io"),
        ("Registry.example/web:1", "registry.example"),
        ("localhost/web", "localhost"),
        ("web:5000/x", "web:5000"),
    ],
)
def test_whose_image_it_is(image: str, host: str):
    assert host_of(image) == host
