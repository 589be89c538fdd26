-- Counts that somebody sets, and what a channel is told of it: a message that belongs to no promotion.

-- What was asked for and has no outcome yet.
CREATE TABLE scale_jobs (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    app       TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    service   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    name      TEXT NOT NULL,
    before    INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    actor     TEXT NOT NULL,
    promotion TEXT NOT NULL REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    token     INTEGER NOT NULL
) STRICT;

-- With a nonce and without a ts it may be in Slack or not. `sealed` is the sentence.
CREATE TABLE notices (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_at TEXT NOT NULL,
    nonce      TEXT NOT NULL DEFAULT '',
    tried_at   TEXT,
    not_before TEXT,
    ts         TEXT,
    failed     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX notices_open ON notices (id) WHERE ts IS NULL AND failed = '';

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
