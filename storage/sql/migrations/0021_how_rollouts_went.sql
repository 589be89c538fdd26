-- How many pods there were over time in a rollout: `counts` is the sealed document of the services' pods.
CREATE TABLE pod_samples (
    promotion TEXT NOT NULL REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    at        TEXT NOT NULL,
    stage     TEXT NOT NULL,
    counts    BLOB NOT NULL,
    PRIMARY KEY (promotion, at)
) STRICT, WITHOUT ROWID;

-- Pictures of rollouts that Slack does not have yet. `file` is Slack's name of the one that is being put there, and `ended` what
-- became of it in the end: `posted`, or why it never will be.
CREATE TABLE pictures (
    promotion  TEXT NOT NULL PRIMARY KEY REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    created_at TEXT NOT NULL,
    file       TEXT NOT NULL DEFAULT '',
    tried_at   TEXT,
    not_before TEXT,
    ended      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX pictures_open ON pictures (created_at) WHERE ended = '';

-- How long rollouts of an app take that succeed.
CREATE INDEX promotions_succeeded ON promotions (app, settled_at) WHERE phase = 'Running' AND started_at IS NOT NULL;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
