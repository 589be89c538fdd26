"""The keys of `CONVOX_KEYS` and what they seal: a stolen database file tells names and times, no values."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any, Self

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from storage.database import Database
from storage.errors import InvalidKey, KeyMismatch
from storage.session import Session

CANARY = b"convox-bot"


class Keyring:
    """Keys, newest first: the first encrypts, all decrypt."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take keys as `generate` makes them.

        Raises:
            InvalidKey: there is none, or one is not a key; the sentence names its place, never the key.
        """
        if not keys:
            raise InvalidKey("CONVOX_KEYS holds no key: make one with `convox-bot keygen`")
        self._keys: dict[str, Fernet] = {}
        for place, key in enumerate(keys, start=1):
            try:
                self._keys[fingerprint(key)] = Fernet(key.strip())
            except ValueError:
                raise InvalidKey(
                    f"key {place} of CONVOX_KEYS is not a key: `convox-bot keygen` makes one (44 characters)"
                ) from None
        self._all = MultiFernet(list(self._keys.values()))

    @staticmethod
    def generate() -> str:
        """Return a fresh key."""
        return Fernet.generate_key().decode()

    @property
    def fingerprints(self) -> list[str]:
        """Names of the keys, newest first, that tell nothing about them."""
        return list(self._keys)

    def encrypt(self, data: bytes) -> bytes:
        return self._all.encrypt(data)

    def decrypt(self, token: bytes) -> bytes:
        """Return what was encrypted.

        Raises:
            KeyMismatch: none of the keys made it, or it was changed since.
        """
        try:
            return self._all.decrypt(token)
        except InvalidToken:
            raise KeyMismatch(
                "a stored value cannot be read: it was encrypted with another key, or changed since"
            ) from None

    def renewed(self, token: bytes) -> bytes | None:
        """Return what was encrypted, encrypted with the newest key; None where it is.

        Raises:
            KeyMismatch: as `decrypt`.
        """
        newest = next(iter(self._keys.values()))
        try:
            newest.decrypt(token)
        except InvalidToken:
            return newest.encrypt(self.decrypt(token))
        return None


def fingerprint(key: str) -> str:
    # A key has 256 random bits: eight digits of its hash give nothing away.
    return hashlib.sha256(key.strip().encode()).hexdigest()[:8]


class Vault:
    """A keyring that fits this database, with the database's own secret for digests and its identity."""

    def __init__(self, keyring: Keyring, digest_key: bytes, installation: str) -> None:
        self._keyring = keyring
        self._digest_key = digest_key
        self.installation = installation

    @classmethod
    async def open(cls, database: Database, keyring: Keyring) -> Self:
        """Check the keyring against the database; make what a new database needs.

        Each key that ever encrypted here has a canary row, so that a key still needed is missed at once.

        Raises:
            KeyMismatch: a key that this database was written with is not among the given.
        """
        async with database.transaction() as connection:
            session = Session(connection)
            newest = keyring.fingerprints[0]
            fresh = {
                f"canary:{newest}": keyring.encrypt(CANARY),
                "digest_key": keyring.encrypt(secrets.token_bytes(32)),
                "installation": secrets.token_hex(16),
            }
            check(keyring, {row["name"]: row["value"] for row in await session.all("canaries")})
            await session.many("add_meta", [{"name": name, "value": value} for name, value in fresh.items()])
            # For `rekey`: a bot that knows the newest key may still seal with another.
            await session.run("note_sealing_key", {"value": newest})
            meta = {row["name"]: row["value"] for row in await session.all("meta")}
        return cls(keyring, keyring.decrypt(meta["digest_key"]), meta["installation"])

    @classmethod
    async def beside(cls, database: Database, keys: Sequence[str]) -> Self:
        """Open what a bot has made, for a moment beside it: it must be able to read whatever is sealed.

        Raises:
            InvalidKey: one of the keys is none.
            KeyMismatch: a key that this database was written with is not among the given, or no bot has started on it yet.
        """
        session = Session(database.reader)
        canaries = {row["name"]: row["value"] for row in await session.all("canaries")}
        check(Keyring(keys), canaries)
        meta = {row["name"]: row["value"] for row in await session.all("meta")}
        if not canaries or "digest_key" not in meta:
            raise KeyMismatch(
                "no bot has started on this database yet: `convox-bot serve` makes what it needs"
            )
        used = {name.partition(":")[2] for name in canaries}
        order = sorted(keys, key=lambda key: fingerprint(key) != meta.get("sealing_key"))
        known = Keyring([key for key in order if fingerprint(key) in used])
        return cls(known, known.decrypt(meta["digest_key"]), meta["installation"])

    def seal(self, document: Any) -> bytes:
        """Encrypt a JSON document."""
        return self._keyring.encrypt(orjson.dumps(document))

    def unseal(self, token: bytes) -> Any:
        """Return the document of `seal`. Raises KeyMismatch."""
        return orjson.loads(self._keyring.decrypt(token))

    def seal_bytes(self, data: bytes) -> bytes:
        return self._keyring.encrypt(data)

    def unseal_bytes(self, token: bytes) -> bytes:
        """Return the bytes of `seal_bytes`. Raises KeyMismatch."""
        return self._keyring.decrypt(token)

    def keyed_digest(self, *parts: str) -> str:
        """Return an HMAC-SHA-256 of the parts as 64 hexadecimal digits; ("ab", "c") and ("a", "bc") differ."""
        mac = hmac.new(self._digest_key, digestmod=hashlib.sha256)
        for part in parts:
            data = part.encode()
            mac.update(len(data).to_bytes(8, "big") + data)
        return mac.hexdigest()


def check(keyring: Keyring, canaries: dict[str, bytes]) -> None:
    """Raise KeyMismatch, naming every key that is missing by its fingerprint."""
    needed = [name.partition(":")[2] for name in canaries]
    missing = sorted(set(needed) - set(keyring.fingerprints))
    if missing:
        raise KeyMismatch(
            f"CONVOX_KEYS lacks a key that this database was written with (fingerprint {', '.join(missing)}; "
            f"given: {', '.join(keyring.fingerprints)}): add it again, behind the newest"
        )
    for token in canaries.values():
        keyring.decrypt(token)
