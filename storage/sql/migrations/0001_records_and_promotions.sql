-- The first schema. BLOB columns hold Fernet tokens (storage/keys.py); everything else is plain.
-- Moments are TEXT, RFC 3339 in UTC with six digits of a second, so that they sort as they are.
-- Foreign keys are checked at COMMIT: a build and its release name each other and may come in any order.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value ANY NOT NULL
) STRICT;

CREATE TABLE apps (
    name          TEXT NOT NULL PRIMARY KEY,
    created_at    TEXT NOT NULL,
    created_by    TEXT NOT NULL,
    channel       TEXT UNIQUE,
    active        TEXT,
    verified      TEXT,
    token         INTEGER NOT NULL,
    namespace_uid TEXT
) STRICT;

CREATE TABLE builds (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    app         TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    manifest    BLOB NOT NULL,
    images      TEXT NOT NULL,
    description TEXT NOT NULL,
    git_sha     TEXT NOT NULL,
    status      TEXT NOT NULL,
    release     TEXT NOT NULL REFERENCES releases (id) DEFERRABLE INITIALLY DEFERRED,
    started_at  TEXT NOT NULL,
    ended_at    TEXT NOT NULL,
    created_by  TEXT NOT NULL
) STRICT;
CREATE INDEX builds_of_app ON builds (app, number);

CREATE TABLE releases (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    app         TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    sequence    INTEGER NOT NULL,
    build       TEXT REFERENCES builds (id) DEFERRABLE INITIALLY DEFERRED,
    environment BLOB NOT NULL,
    description TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    copy_of     TEXT REFERENCES releases (id) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (app, sequence)
) STRICT;

CREATE TABLE standings (
    release     TEXT NOT NULL PRIMARY KEY REFERENCES releases (id) DEFERRABLE INITIALLY DEFERRED,
    verified_at TEXT,
    held        BLOB,
    withdrawn   INTEGER NOT NULL
) STRICT;

-- The digest of a bundle lies inside the sealed document: values could be guessed from it.
CREATE TABLE bundles (
    release        TEXT NOT NULL PRIMARY KEY REFERENCES releases (id) DEFERRABLE INITIALLY DEFERRED,
    app            TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    render_version INTEGER NOT NULL,
    sealed         BLOB NOT NULL
) STRICT;
CREATE INDEX bundles_of_app ON bundles (app);

-- `words` seals what people and clusters said (cause, reason, anyway) and what approvals are bound to.
CREATE TABLE promotions (
    number        INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    app           TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    release       TEXT NOT NULL REFERENCES releases (id) DEFERRABLE INITIALLY DEFERRED,
    kind          TEXT NOT NULL CHECK (kind IN ('promote', 'rollback')),
    phase         TEXT NOT NULL,
    requested_by  TEXT NOT NULL,
    requested_at  TEXT NOT NULL,
    source        TEXT NOT NULL CHECK (source IN ('slack', 'http')),
    channel       TEXT,
    force         INTEGER NOT NULL,
    limits        TEXT NOT NULL,
    approvals     INTEGER NOT NULL,
    expires_at    TEXT,
    started_at    TEXT,
    touched_at    TEXT,
    stage_at      TEXT,
    settled_at    TEXT,
    token         INTEGER NOT NULL,
    back_to       TEXT,
    baseline_of   TEXT,
    acted_by      TEXT,
    superseded_by TEXT,
    removed       INTEGER NOT NULL,
    nothing_ran   INTEGER NOT NULL,
    revision      INTEGER NOT NULL,
    words         BLOB NOT NULL,
    progress      BLOB NOT NULL
) STRICT;
CREATE INDEX promotions_of_app ON promotions (app, number);
-- At most one promotion of an app may touch the cluster.
CREATE UNIQUE INDEX promotions_in_flight ON promotions (app)
    WHERE phase IN ('Cancelled', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating');
CREATE INDEX promotions_unsettled ON promotions (number)
    WHERE phase IN ('AwaitingApproval', 'Cancelled', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating');

CREATE TABLE intents (
    promotion TEXT NOT NULL PRIMARY KEY REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    sealed    BLOB NOT NULL
) STRICT;

CREATE TABLE steps (
    number     INTEGER PRIMARY KEY,
    promotion  TEXT NOT NULL REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    stage      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    action     TEXT NOT NULL,
    state      TEXT NOT NULL,
    token      INTEGER NOT NULL,
    uid        TEXT NOT NULL,
    generation INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    replicas   INTEGER,
    UNIQUE (promotion, stage, kind, name, action)
) STRICT;

CREATE TABLE approvals (
    number    INTEGER PRIMARY KEY,
    promotion TEXT NOT NULL REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    actor_key TEXT NOT NULL,
    actor     TEXT NOT NULL,
    decision  TEXT NOT NULL CHECK (decision IN ('approve', 'decline')),
    at        TEXT NOT NULL,
    reason    BLOB NOT NULL,
    UNIQUE (promotion, actor_key)
) STRICT;

-- `mark` is an HMAC of the line's key, which may itself contain foreign text.
CREATE TABLE lines (
    promotion TEXT NOT NULL REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    seq       INTEGER NOT NULL,
    mark      TEXT NOT NULL,
    at        TEXT NOT NULL,
    kind      TEXT NOT NULL,
    sealed    BLOB NOT NULL,
    post      INTEGER REFERENCES outbox (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (promotion, seq),
    UNIQUE (promotion, mark)
) STRICT;
CREATE INDEX lines_unsent ON lines (promotion, seq) WHERE post IS NULL;
CREATE INDEX lines_of_post ON lines (post) WHERE post IS NOT NULL;

-- `wanted` follows the promotion's revision; `ended` is 1 once nothing more goes into the thread.
CREATE TABLE cards (
    promotion  TEXT NOT NULL PRIMARY KEY REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    channel    TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ts         TEXT,
    shown      INTEGER NOT NULL DEFAULT -1,
    wanted     INTEGER NOT NULL,
    failed     TEXT NOT NULL DEFAULT '',
    nonce      TEXT NOT NULL DEFAULT '',
    tried_at   TEXT,
    not_before TEXT,
    ended      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX cards_due ON cards (channel, promotion) WHERE failed = '' AND shown < wanted;
CREATE INDEX cards_open ON cards (channel, promotion) WHERE failed = '' AND ended = 0;
CREATE TRIGGER cards_follow_promotions AFTER UPDATE OF revision ON promotions
    WHEN NEW.revision <> OLD.revision
    BEGIN UPDATE cards SET wanted = NEW.revision WHERE promotion = NEW.id; END;

CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    promotion  TEXT NOT NULL REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    kind       TEXT NOT NULL CHECK (kind IN ('lines', 'terminal')),
    state      TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'unknown', 'sent', 'dead')),
    nonce      TEXT NOT NULL UNIQUE,
    attempts   INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    tried_at   TEXT,
    not_before TEXT,
    ts         TEXT,
    error      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX outbox_one_terminal ON outbox (promotion) WHERE kind = 'terminal';
-- One batch of lines at a time keeps a thread in order.
CREATE UNIQUE INDEX outbox_one_batch ON outbox (promotion)
    WHERE kind = 'lines' AND state IN ('pending', 'sending', 'unknown');
CREATE INDEX outbox_by_state ON outbox (state, id);
CREATE INDEX outbox_open ON outbox (promotion, id) WHERE state IN ('pending', 'sending', 'unknown');

-- `done_at` is written by the transaction that carried a delivery out, `handled_at` after its answer.
CREATE TABLE intake (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    mark        TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    payload     BLOB,
    received_at TEXT NOT NULL,
    done_at     TEXT,
    handled_at  TEXT
) STRICT;
CREATE INDEX intake_pending ON intake (id) WHERE handled_at IS NULL;
CREATE INDEX intake_handled ON intake (handled_at) WHERE handled_at IS NOT NULL;

CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY,
    at        TEXT NOT NULL,
    actor     TEXT NOT NULL,
    action    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    detail    TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash      TEXT NOT NULL
) STRICT;

CREATE TABLE tokens (
    number     INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    sha256     TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
CREATE UNIQUE INDEX tokens_valid ON tokens (name) WHERE revoked_at IS NULL;

CREATE TABLE prune_jobs (
    promotion TEXT NOT NULL PRIMARY KEY REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    app       TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    refs      TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER builds_are_final BEFORE UPDATE ON builds
    BEGIN SELECT RAISE(ABORT, 'a build never changes'); END;
CREATE TRIGGER releases_are_final BEFORE UPDATE ON releases
    BEGIN SELECT RAISE(ABORT, 'a release never changes'); END;
CREATE TRIGGER bundles_are_final BEFORE UPDATE ON bundles
    BEGIN SELECT RAISE(ABORT, 'a bundle never changes'); END;
CREATE TRIGGER intents_are_final BEFORE UPDATE ON intents
    BEGIN SELECT RAISE(ABORT, 'an intent never changes'); END;

-- The first version of convox-bot that understands this schema; older ones name it when they refuse.
INSERT INTO meta (name, value) VALUES ('needs', '0.1.0');
