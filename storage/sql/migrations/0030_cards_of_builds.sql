-- Cards, lines and the messages of threads belong to a promotion or to a build: `subject` is the id of either, which stands in the column
-- of its kind too, so that what refers to what is checked as before. (Generated columns would do, but VACUUM INTO of SQLite 3.40, a backup, refuses these tables then.)

CREATE TABLE outbox_of_subjects (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    subject    TEXT NOT NULL,
    promotion  TEXT REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    build      TEXT REFERENCES build_runs (id) DEFERRABLE INITIALLY DEFERRED,
    kind       TEXT NOT NULL CHECK (kind IN ('lines', 'terminal')),
    state      TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'unknown', 'sent', 'dead')),
    nonce      TEXT NOT NULL UNIQUE,
    attempts   INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    tried_at   TEXT,
    not_before TEXT,
    ts         TEXT,
    error      TEXT NOT NULL DEFAULT '',
    CHECK (subject = coalesce(promotion, build))
) STRICT;
INSERT INTO outbox_of_subjects (id, subject, promotion, kind, state, nonce, attempts, created_at, tried_at, not_before, ts, error)
SELECT id, promotion, promotion, kind, state, nonce, attempts, created_at, tried_at, not_before, ts, error FROM outbox;

CREATE TABLE lines_of_subjects (
    subject   TEXT NOT NULL,
    promotion TEXT REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    build     TEXT REFERENCES build_runs (id) DEFERRABLE INITIALLY DEFERRED,
    seq       INTEGER NOT NULL,
    mark      TEXT NOT NULL,
    at        TEXT NOT NULL,
    kind      TEXT NOT NULL,
    sealed    BLOB NOT NULL,
    post      INTEGER REFERENCES outbox_of_subjects (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (subject, seq),
    UNIQUE (subject, mark),
    CHECK (subject = coalesce(promotion, build))
) STRICT;
INSERT INTO lines_of_subjects (subject, promotion, seq, mark, at, kind, sealed, post)
SELECT promotion, promotion, seq, mark, at, kind, sealed, post FROM lines;

-- Lines first, since they refer to messages; with a renamed table goes what refers to it.
DROP TABLE lines;
DROP TABLE outbox;
ALTER TABLE outbox_of_subjects RENAME TO outbox;
ALTER TABLE lines_of_subjects RENAME TO lines;

CREATE UNIQUE INDEX outbox_one_terminal ON outbox (subject) WHERE kind = 'terminal';
-- One batch of lines at a time keeps a thread in order.
CREATE UNIQUE INDEX outbox_one_batch ON outbox (subject)
    WHERE kind = 'lines' AND state IN ('pending', 'sending', 'unknown');
CREATE INDEX outbox_by_state ON outbox (state, id);
CREATE INDEX outbox_open ON outbox (subject, id) WHERE state IN ('pending', 'sending', 'unknown');
CREATE INDEX lines_unsent ON lines (subject, seq) WHERE post IS NULL;
CREATE INDEX lines_of_post ON lines (post) WHERE post IS NOT NULL;

-- `wanted` follows the promotion's revision, or counts what has changed for a build; `ended` is 1 once nothing more goes into the thread.
CREATE TABLE cards_of_subjects (
    subject        TEXT NOT NULL PRIMARY KEY,
    promotion      TEXT REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    build          TEXT REFERENCES build_runs (id) DEFERRABLE INITIALLY DEFERRED,
    channel        TEXT NOT NULL,
    created_at     TEXT NOT NULL,
    ts             TEXT,
    shown          INTEGER NOT NULL DEFAULT -1,
    wanted         INTEGER NOT NULL,
    failed         TEXT NOT NULL DEFAULT '',
    nonce          TEXT NOT NULL DEFAULT '',
    tried_at       TEXT,
    not_before     TEXT,
    ended          INTEGER NOT NULL DEFAULT 0,
    closed_channel TEXT NOT NULL DEFAULT '',
    closed_by      TEXT NOT NULL DEFAULT '',
    digest         INTEGER REFERENCES digests (id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (subject = coalesce(promotion, build))
) STRICT;
INSERT INTO cards_of_subjects (
    subject, promotion, channel, created_at, ts, shown, wanted, failed, nonce, tried_at, not_before, ended, closed_channel, closed_by, digest
)
SELECT promotion, promotion, channel, created_at, ts, shown, wanted, failed, nonce, tried_at, not_before, ended, closed_channel, closed_by, digest
FROM cards;
-- Before its table goes, since it writes there.
DROP TRIGGER cards_follow_promotions;
DROP TABLE cards;
ALTER TABLE cards_of_subjects RENAME TO cards;

CREATE INDEX cards_due ON cards (channel, subject) WHERE failed = '' AND shown < wanted;
CREATE INDEX cards_open ON cards (channel, subject) WHERE failed = '' AND ended = 0;
CREATE INDEX cards_posted ON cards (channel, ts);
CREATE INDEX cards_of_digest ON cards (digest) WHERE digest IS NOT NULL;
CREATE TRIGGER cards_follow_promotions AFTER UPDATE OF revision ON promotions
    WHEN NEW.revision <> OLD.revision
    BEGIN UPDATE cards SET wanted = NEW.revision WHERE subject = NEW.id; END;
-- A build that begins, ends, waits for something or learns what it builds changes its own card, and how many are ahead of those of its app that wait.
CREATE TRIGGER cards_follow_builds AFTER UPDATE OF status, description, git_sha, waits ON build_runs
    WHEN NEW.status <> OLD.status OR NEW.description <> OLD.description OR NEW.git_sha <> OLD.git_sha OR NEW.waits IS NOT OLD.waits
    BEGIN
        UPDATE cards SET wanted = wanted + 1
        WHERE subject = NEW.id OR subject IN (SELECT id FROM build_runs WHERE app = NEW.app AND status = 'created');
    END;

-- What has failed may be asked for once more of the same source, once at a time.
DROP INDEX builds_of_sources;
CREATE UNIQUE INDEX builds_of_sources ON build_runs (source) WHERE source <> '' AND status <> 'failed';

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
