-- What others are told of this bot: who wants to know what, and each event that somebody has not been told of yet.

-- `kind` says how they are told: a webhook, Kubernetes (an Event), GitHub (a deployment). Of a webhook address and secret are sealed.
CREATE TABLE subscriptions (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    host          TEXT NOT NULL,
    sealed        BLOB,
    apps          TEXT NOT NULL,
    types         TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    created_by    TEXT NOT NULL,
    delivered     INTEGER NOT NULL DEFAULT 0,
    dropped       INTEGER NOT NULL DEFAULT 0,
    answer        TEXT NOT NULL DEFAULT '',
    answered_at   TEXT,
    failing_since TEXT
) STRICT;

-- An event is a row of the audit for somebody; it goes once it is delivered or given up, so the table holds what waits and no more.
CREATE TABLE outgoing_events (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription TEXT NOT NULL REFERENCES subscriptions (id),
    audit        INTEGER NOT NULL REFERENCES audit (seq),
    type         TEXT NOT NULL,
    app          TEXT NOT NULL,
    subject      TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    not_before   TEXT,
    UNIQUE (subscription, audit, type)
) STRICT;
CREATE INDEX outgoing_events_in_order ON outgoing_events (subscription, subject, id);
CREATE INDEX outgoing_events_delayed ON outgoing_events (not_before) WHERE not_before IS NOT NULL;

INSERT INTO subscriptions (id, kind, host, apps, types, created_at, created_by)
SELECT kind, kind, '', '*', 'promotion.started promotion.settled', strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now'),
    '{"kind":"bot","id":"convox-bot","name":"convox-bot"}'
FROM (SELECT 'kubernetes' AS kind UNION ALL SELECT 'github');

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
