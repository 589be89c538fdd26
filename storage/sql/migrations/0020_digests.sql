-- One message tells of all rollouts of a channel where very many run at once; each card knows which one stands for it.

-- `ended` is 1 once it shows that none of them is under way any more.
CREATE TABLE digests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ts         TEXT,
    shown      INTEGER NOT NULL DEFAULT -1,
    failed     TEXT NOT NULL DEFAULT '',
    nonce      TEXT NOT NULL DEFAULT '',
    tried_at   TEXT,
    not_before TEXT,
    ended      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX digests_open ON digests (channel, id) WHERE ended = 0 AND failed = '';

ALTER TABLE cards ADD COLUMN digest INTEGER REFERENCES digests (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX cards_of_digest ON cards (digest) WHERE digest IS NOT NULL;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
