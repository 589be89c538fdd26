-- copied_at --
-- When this database was copied and why ("" before 0.2.0), of a copy that no bot has settled.
SELECT value, coalesce((SELECT value FROM meta WHERE name = 'copied_for'), '') AS reason FROM meta WHERE name = 'copied_at';

-- stamp_copy --
-- Note in a copy when and why it was made, and how far the audit and the messages to Slack were: of any schema, so what has no other name in an older one.
INSERT OR REPLACE INTO meta (name, value) VALUES
    ('copied_at', strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    ('copied_for', :reason),
    ('copied_audit', (SELECT coalesce(max(seq), 0) FROM audit)),
    ('copied_outbox', (SELECT coalesce(max(id), 0) FROM outbox));

-- run_since_copy --
-- Whether a bot has worked on a copy: an operator who adopts, seals anew or makes tokens before the first start is none.
SELECT EXISTS (
    SELECT 1 FROM audit WHERE seq > (SELECT value FROM meta WHERE name = 'copied_audit')
        AND action NOT IN ('app.adopt', 'keys.rekey', 'token.create', 'token.revoke', 'webhook.add', 'webhook.remove')
) OR EXISTS (SELECT 1 FROM outbox WHERE id > (SELECT value FROM meta WHERE name = 'copied_outbox')) AS ran;

-- forget_copied_at --
-- It is a bot's own database from now on.
DELETE FROM meta WHERE name IN ('copied_at', 'copied_for', 'copied_audit', 'copied_outbox');

-- owed_at_copy --
-- What Slack was owed as a database was copied: of threads cards, lines in no message and messages; and notices, which belong to none.
SELECT
    (SELECT count(*) FROM cards WHERE failed = '' AND ended = 0 AND ts IS NULL) AS cards,
    (SELECT count(*) FROM cards CROSS JOIN lines ON lines.subject = cards.subject
        WHERE lines.post IS NULL AND cards.failed = '' AND cards.ended = 0) AS lines,
    (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending', 'unknown')) AS posts,
    (SELECT count(*) FROM notices WHERE ts IS NULL AND failed = '') AS notices;

-- doubt_posts --
-- Of messages that were made, nobody knows whether they were sent since: Slack is asked first.
UPDATE outbox SET state = 'unknown', tried_at = coalesce(tried_at, created_at), not_before = NULL WHERE state = 'pending';

-- edit_open_cards --
-- Cards may show what came after the copy: each that is not at its end is written anew.
UPDATE cards SET shown = -1 WHERE ts IS NOT NULL AND failed = '' AND ended = 0;
