-- Messages beside cards and threads: a build that is announced, a channel that is asked for an approval, a reminder in a thread.

ALTER TABLE notices ADD COLUMN kind TEXT NOT NULL DEFAULT 'notice';
ALTER TABLE notices ADD COLUMN promotion TEXT REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE notices ADD COLUMN app TEXT;
ALTER TABLE notices ADD COLUMN release TEXT;
-- Whom it calls, as the policy names them: JSON.
ALTER TABLE notices ADD COLUMN whom TEXT NOT NULL DEFAULT '[]';
CREATE UNIQUE INDEX notices_of_builds ON notices (release) WHERE kind = 'build';
CREATE UNIQUE INDEX notices_one_reminder ON notices (promotion) WHERE kind = 'reminder' AND ts IS NULL AND failed = '';
CREATE INDEX notices_posted ON notices (channel, ts) WHERE ts IS NOT NULL;

-- What is written under a card is about its promotion.
CREATE INDEX cards_posted ON cards (channel, ts);

-- When those who can approve a promotion are reminded next, and when they were last.
CREATE TABLE reminders (
    promotion TEXT PRIMARY KEY REFERENCES promotions (id) DEFERRABLE INITIALLY DEFERRED,
    due_at    TEXT,
    told_at   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX reminders_due ON reminders (due_at) WHERE due_at IS NOT NULL;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
