-- copied_at --
-- When this database was copied, of a copy that no bot has started with.
SELECT value FROM meta WHERE name = 'copied_at';

-- forget_copied_at --
-- It is a bot's own database from now on.
DELETE FROM meta WHERE name = 'copied_at';

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
