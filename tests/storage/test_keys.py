import hashlib
import secrets

import pytest

from core.promotion import Phase
from core.records.approval import Approval
from core.records.binding import Binding
from core.records.line import Line
from core.records.progress import Progress
from core.records.release import ReleaseStatus
from core.sentence import Sentence
from storage.database import open_database
from storage.errors import DatabaseMissing, InvalidKey, KeyMismatch
from storage.keys import Keyring, Vault
from storage.store import open_beside, open_store
from tests.storage.making import (
    ALICE,
    APP,
    NOW,
    make_app,
    make_build,
    make_bundle,
    make_promotion,
    make_release,
    seed,
)


def test_the_newest_key_encrypts_and_all_decrypt():
    old, new = Keyring.generate(), Keyring.generate()
    before = Keyring([old]).encrypt(b"x")
    both = Keyring([new, old])
    assert both.decrypt(before) == b"x"
    assert Keyring([new]).decrypt(both.encrypt(b"y")) == b"y"
    with pytest.raises(KeyMismatch):
        Keyring([old]).decrypt(both.encrypt(b"y"))


def test_a_changed_token_is_not_decrypted():
    ring = Keyring([Keyring.generate()])
    token = bytearray(ring.encrypt(b"value"))
    token[30] ^= 1
    with pytest.raises(KeyMismatch, match="cannot be read"):
        ring.decrypt(bytes(token))


@pytest.mark.parametrize("bad", ["", "short", "ü" * 44, "A" * 43 + "!", "a b"])
def test_what_is_no_key_is_named_by_its_place_and_never_shown(bad):
    with pytest.raises(InvalidKey, match="key 2 of CONVOX_KEYS is not a key") as caught:
        Keyring([Keyring.generate(), bad])
    assert not bad or bad not in str(caught.value)


def test_no_key_at_all_is_refused_with_the_way_to_make_one():
    with pytest.raises(InvalidKey, match="convox-bot keygen"):
        Keyring([])


async def test_a_key_that_the_database_was_written_with_must_be_given(path, clock):
    first, second = Keyring.generate(), Keyring.generate()
    async with open_store(path, Keyring([first]), clock):
        pass
    with pytest.raises(KeyMismatch, match="lacks a key") as caught:
        async with open_store(path, Keyring([second]), clock):
            pass
    assert first not in str(caught.value)
    assert second not in str(caught.value)
    async with open_store(path, Keyring([second, first]), clock):
        pass
    for alone in (first, second):
        with pytest.raises(KeyMismatch):
            async with open_store(path, Keyring([alone]), clock):
                pass
    async with open_store(path, Keyring([first, second]), clock):
        pass


async def test_a_refused_key_leaves_the_lock_and_the_database_as_they_were(path, clock, key):
    async with open_store(path, Keyring([key]), clock) as store:
        await seed(store)
    with pytest.raises(KeyMismatch):
        async with open_store(path, Keyring([Keyring.generate()]), clock):
            pass
    async with open_store(path, Keyring([key]), clock) as store:
        rows = await store._database.reader.execute_fetchall(
            "SELECT name FROM meta WHERE name GLOB 'canary:*'"
        )
        assert len(list(rows)) == 1


async def test_records_stay_readable_when_a_newer_key_is_put_in_front(path, clock, key):
    async with open_store(path, Keyring([key]), clock) as store:
        await seed(store, promotion="PAAAAAAAAAA", cause=Sentence.of("boom"))
        digest, installation = await store.read.keyed_digest("x"), await store.read.installation()
    async with open_store(path, Keyring([Keyring.generate(), key]), clock) as store:
        assert (await store.read.promotion("PAAAAAAAAAA")).cause == Sentence.of("boom")
        assert await store.read.keyed_digest("x") == digest
        assert await store.read.installation() == installation


async def test_a_digest_is_of_this_installation_and_of_its_parts(store, tmp_path, key, clock):
    digest = await store.read.keyed_digest("ab", "c")
    assert digest == await store.read.keyed_digest("ab", "c")
    assert len(digest) == 64
    assert digest != await store.read.keyed_digest("a", "bc")
    assert digest != await store.read.keyed_digest("abc")
    assert digest != hashlib.sha256(b"abc").hexdigest()
    async with open_store(tmp_path / "other.db", Keyring([key]), clock) as other:
        assert await other.read.keyed_digest("ab", "c") != digest
        assert await other.read.installation() != await store.read.installation()


async def test_two_first_starts_at_once_agree_on_one_installation(path, key):
    async with open_database(path, exclusive=False) as one, open_database(path, exclusive=False) as two:
        vaults = [await Vault.open(database, Keyring([key])) for database in (one, two)]
    assert vaults[0].installation == vaults[1].installation
    assert vaults[0].keyed_digest("x") == vaults[1].keyed_digest("x")


async def test_nothing_secret_or_foreign_is_in_the_files_in_plain_text(store, path):
    said = {}

    def secret(name):
        said[name] = f"{name}-{secrets.token_hex(12)}"
        return said[name]

    release, promotion = "RAAAAAAAAAA", "PAAAAAAAAAA"
    bundle = make_bundle(release, value=secret("object"))
    line = Line(at=NOW, object="web", text=secret("text"), key=secret("key"), kind="evidence")
    async with store.transaction() as tx:
        await tx.add_app(make_app())
        await tx.add_build(make_build("BAAAAAAAAAA", release, manifest=secret("manifest")))
        await tx.add_release(make_release(release, build="BAAAAAAAAAA", pairs=[("FOO", secret("value"))] * 3))
        await tx.save_release_status(ReleaseStatus(release=release, held=Sentence.of(secret("held"))))
        await tx.save_bundle(bundle)
        await tx.add_promotion(
            make_promotion(
                release,
                promotion,
                cause=Sentence.of(secret("cause")),
                reason=Sentence.of(secret("reason")),
                anyway=secret("anyway"),
                binding=Binding(bundle=secret("approved"), active=None, prune=(), namespace=None),
                progress=Progress(waiting=secret("waiting"), suspects={secret("suspect"): 1.0}),
            )
        )
        await tx.add_approval(
            Approval(promotion=promotion, actor=ALICE, decision="decline", at=NOW, reason=secret("decline"))
        )
        await tx.add_lines(promotion, [line])
        await tx.save_progress(promotion, Progress(waiting=secret("later")), was=Phase.PENDING, revision=1)
    await store.inbox.keep(secret("dedupe"), "command", secret("payload").encode(), NOW)
    said["digest"] = bundle.digest

    assert await store.read.lines(promotion) == [(1, line)]
    assert await store.read.bundle(release) == bundle
    files = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert {"convox.db", "convox.db-wal", "convox.db-shm"} <= files.keys()
    everything = b"".join(files.values())
    assert APP.encode() in everything, "the search would find what is plain"
    assert [name for name, value in said.items() if value.encode() in everything] == []


async def test_beside_a_bot_nothing_is_made_and_nothing_sealed_that_it_could_not_read(path, clock, key):
    newer = Keyring.generate()
    async with open_store(path, Keyring([key]), clock) as bot:
        installation = await bot.read.installation()
        before = await bot._database.reader.execute_fetchall("SELECT name, value FROM meta ORDER BY name")
        async with open_beside(path, [newer, key], clock) as beside:
            await seed(beside, promotion="PAAAAAAAAAA", cause=Sentence.of("boom"))
            assert await beside.read.installation() == installation
        assert (await bot.read.promotion("PAAAAAAAAAA")).cause == Sentence.of("boom")
        after = await bot._database.reader.execute_fetchall("SELECT name, value FROM meta ORDER BY name")
        assert [tuple(row) for row in after] == [tuple(row) for row in before]


async def test_beside_a_bot_that_seals_with_another_key_that_one_is_used(path, clock, key):
    other = Keyring.generate()
    async with open_store(path, Keyring([other]), clock):
        pass
    async with (
        open_store(path, Keyring([key, other]), clock),
        open_beside(path, [other, key], clock) as beside,
    ):
        sealed = beside._vault.seal_bytes(b"x")
    assert Keyring([key]).decrypt(sealed) == b"x"


async def test_nobody_works_beside_what_no_bot_has_started_on(path, clock, key):
    with pytest.raises(DatabaseMissing):
        async with open_beside(path, [key], clock):
            pass
    async with open_database(path, exclusive=True):
        pass
    with pytest.raises(KeyMismatch, match="no bot has started on this database yet"):
        async with open_beside(path, [key], clock):
            pass
    async with open_store(path, Keyring([key]), clock):
        pass
    with pytest.raises(KeyMismatch, match="lacks a key"):
        async with open_beside(path, [Keyring.generate()], clock):
            pass
