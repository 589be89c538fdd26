"""What docs/security.md gives people to run does what it says, on a database as the bot writes it."""

import sqlite3
import subprocess
import sys

from core.actor import BOT
from storage.keys import Keyring
from storage.store import open_store
from tests.chain import first_broken
from tests.core.world import ALICE
from tests.docs.pages import blocks, page, section
from tests.fakes import JumpingClock

(CHECK,) = blocks(section(page("security.md"), "The audit"), "python")


async def audited(folder):
    """Return a database with an audit whose texts have what JSON escapes in its own ways."""
    path = folder / "convox.db"
    async with open_store(path, Keyring([Keyring.generate()]), JumpingClock(), exclusive=False) as store:
        for subject in ("plain", 'a "quote" and a \\ \t', "naïve ✓ \u2028 \x7f \x01"):
            async with store.transaction() as tx:
                await tx.audit(ALICE, "app.create", subject, {"channel": None, "said": subject})
        async with store.transaction() as tx:
            await tx.audit(BOT, "app.link", "myapp", {"n": 1})
        assert await first_broken(store) is None
    return path


def checked(path):
    return subprocess.run(
        [sys.executable, "-c", CHECK, str(path)], capture_output=True, text=True, check=False
    )


async def test_the_check_of_the_page_finds_a_good_chain_good(tmp_path):
    done = checked(await audited(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("the audit holds; its head is ")


async def test_the_check_of_the_page_names_the_row_that_was_changed(tmp_path):
    path = await audited(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER audit_is_final")
        connection.execute("UPDATE audit SET subject = 'other' WHERE seq = 2")
    connection.close()

    done = checked(path)

    assert (done.returncode, done.stderr.strip()) == (1, "the audit was changed at row 2")


async def test_the_check_of_the_page_notices_a_row_that_is_missing(tmp_path):
    path = await audited(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER audit_is_kept")
        connection.execute("DELETE FROM audit WHERE seq = 3")
    connection.close()

    assert checked(path).stderr.strip() == "the audit was changed at row 3"
