-- card --
-- The parent message of a promotion or a build.
SELECT * FROM cards WHERE subject = :subject;

-- promotion_of_card --
-- The promotion whose card a message is.
SELECT promotion FROM cards WHERE channel = :channel AND ts = :ts AND promotion IS NOT NULL;

-- build_of_card --
-- The build whose card a message is, wherever it stands.
SELECT build FROM cards WHERE channel = :channel AND ts = :ts AND build IS NOT NULL;

-- add_card --
-- Ask for the parent message of a promotion or a build, unless it has one.
INSERT INTO cards (subject, promotion, build, channel, created_at, wanted)
VALUES (
    :subject, CASE WHEN :subject LIKE 'P%' THEN :subject END, CASE WHEN :subject LIKE 'B%' THEN :subject END,
    :channel, :created_at, coalesce((SELECT revision FROM promotions WHERE id = :subject), 0)
)
ON CONFLICT (subject) DO NOTHING;

-- cards_due --
-- Cards that were never posted or show less than there is, oldest first; with the phase or the status, which says how urgent.
SELECT cards.*, coalesce(promotions.phase, build_runs.status) AS phase,
    EXISTS (SELECT 1 FROM digests WHERE digests.id = cards.digest AND digests.failed = '' AND digests.ended = 0) AS digested
FROM cards
LEFT JOIN promotions ON promotions.id = cards.promotion
LEFT JOIN build_runs ON build_runs.id = cards.build
WHERE cards.failed = '' AND cards.shown < cards.wanted AND (cards.not_before IS NULL OR cards.not_before <= :now)
ORDER BY cards.created_at, cards.subject;

-- card_sending --
-- A card is about to be posted: from now on it may be in Slack.
UPDATE cards SET nonce = :nonce, tried_at = :now WHERE subject = :subject AND ts IS NULL;

-- card_again --
-- A card is known not to be in Slack.
UPDATE cards SET nonce = '', tried_at = NULL, not_before = :not_before WHERE subject = :subject AND ts IS NULL;

-- move_card --
-- The channel of a card has closed before the last message was in it: the card, and what is left, go to somebody directly.
UPDATE cards
SET closed_channel = channel, closed_by = :error, channel = :channel, ts = NULL, nonce = '', tried_at = NULL, shown = -1,
    not_before = NULL
WHERE subject = :subject AND (ts IS NOT NULL OR closed_by <> '') AND ended = 0 AND closed_channel = '';

-- card_gone --
-- The message of a card was deleted, or can be changed no more, while there is something to say, or has just been: it is posted anew, once.
UPDATE cards
SET closed_by = :error, ts = NULL, nonce = '', tried_at = NULL, shown = -1, not_before = NULL
WHERE subject = :subject AND ts = :ts AND failed = '' AND closed_by = ''
    AND (ended = 0 OR EXISTS (SELECT 1 FROM promotions WHERE promotions.id = cards.promotion AND settled_at > :since));

-- requester --
-- Who asked for a promotion or a build.
SELECT requested_by FROM promotions WHERE id = :subject
UNION ALL
SELECT created_by FROM build_runs WHERE id = :subject;

-- card_posted --
-- A card is in Slack; a direct message is asked for by a person, and Slack says which conversation that is.
UPDATE cards SET ts = :ts, channel = coalesce(:channel, channel), shown = max(shown, :shown), not_before = NULL
WHERE subject = :subject AND (ts IS NULL OR ts = :ts);

-- card_shown --
-- A card shows a revision.
UPDATE cards SET shown = max(shown, :shown), not_before = NULL WHERE subject = :subject;

-- card_failed --
-- A card will never be shown.
UPDATE cards SET failed = :error WHERE subject = :subject;

-- postpone_card --
-- Leave a card alone for a while.
UPDATE cards SET not_before = :not_before WHERE subject = :subject;

-- end_thread --
-- Nothing more goes into a thread.
UPDATE cards SET ended = 1 WHERE subject = :subject;

-- add_terminal --
-- Ask for the last message of a thread, unless it has one.
INSERT INTO outbox (subject, promotion, build, kind, state, nonce, created_at)
VALUES (
    :subject, CASE WHEN :subject LIKE 'P%' THEN :subject END, CASE WHEN :subject LIKE 'B%' THEN :subject END,
    'terminal', 'pending', :nonce, :created_at
)
ON CONFLICT (subject) WHERE kind = 'terminal' DO NOTHING;

-- add_batch --
-- Make a message of lines; the partial index refuses a second open one in the thread.
INSERT INTO outbox (subject, promotion, build, kind, state, nonce, created_at)
VALUES (
    :subject, CASE WHEN :subject LIKE 'P%' THEN :subject END, CASE WHEN :subject LIKE 'B%' THEN :subject END,
    'lines', 'pending', :nonce, :created_at
)
RETURNING *;

-- put_into_batch --
-- Give the unsent lines of a thread up to a number to a message.
UPDATE lines SET post = :post WHERE subject = :subject AND post IS NULL AND seq <= :last;

-- left_out --
-- What holds the lines that a thread does not show: a message that is never sent.
SELECT id FROM outbox WHERE subject = :subject AND kind = 'lines' AND state = 'dead' AND error = 'left out';

-- add_left_out --
-- Make what holds them.
INSERT INTO outbox (subject, promotion, build, kind, state, nonce, created_at, error)
VALUES (
    :subject, CASE WHEN :subject LIKE 'P%' THEN :subject END, CASE WHEN :subject LIKE 'B%' THEN :subject END,
    'lines', 'dead', :nonce, :created_at, 'left out'
)
RETURNING id;

-- leave_out --
-- Give lines that a thread does not show to what holds them.
UPDATE lines SET post = :post WHERE subject = :subject AND post IS NULL AND seq = :seq;

-- threads_due --
-- Threads that have something to send now, by how long it has waited; one that waits for its outcome or its time does not.
SELECT cards.subject, coalesce(promotions.app, build_runs.app) AS app, cards.channel, cards.ts, last.id AS terminal_id, batch.id AS batch_id,
    (SELECT count(*) FROM lines WHERE lines.subject = cards.subject AND lines.post IS NULL) AS waiting,
    coalesce(
        last.created_at,
        (SELECT at FROM lines WHERE lines.subject = cards.subject AND lines.post IS NULL ORDER BY seq LIMIT 1),
        batch.created_at
    ) AS since,
    EXISTS (SELECT 1 FROM digests WHERE digests.id = cards.digest AND digests.failed = '' AND digests.ended = 0) AS digested
FROM cards
LEFT JOIN promotions ON promotions.id = cards.promotion
LEFT JOIN build_runs ON build_runs.id = cards.build
LEFT JOIN outbox AS last ON last.subject = cards.subject AND last.kind = 'terminal'
LEFT JOIN outbox AS batch ON batch.subject = cards.subject AND batch.kind = 'lines'
    AND batch.state IN ('pending', 'sending', 'unknown')
WHERE cards.failed = '' AND cards.ended = 0 AND cards.ts IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM outbox
        WHERE outbox.subject = cards.subject AND state IN ('pending', 'sending', 'unknown')
            AND (state = 'unknown' OR not_before > :now)
    )
    AND (
        last.id IS NOT NULL OR batch.id IS NOT NULL
        OR EXISTS (SELECT 1 FROM lines WHERE lines.subject = cards.subject AND lines.post IS NULL)
    )
ORDER BY since, cards.subject;

-- open_posts --
-- Messages of a thread that have not reached an end: lines first, then the last one.
SELECT outbox.* FROM outbox JOIN cards ON cards.subject = outbox.subject
WHERE outbox.subject = :subject AND cards.ts IS NOT NULL AND cards.failed = ''
    AND outbox.state IN ('pending', 'sending', 'unknown')
ORDER BY outbox.kind, outbox.id;

-- postable --
-- The card of a thread, if messages may go into it.
SELECT * FROM cards WHERE subject = :subject AND ts IS NOT NULL AND failed = '' AND ended = 0;

-- unsent_lines --
-- Lines of a thread that are in no message yet, in order.
SELECT * FROM lines WHERE subject = :subject AND post IS NULL ORDER BY seq LIMIT :limit;

-- lines_of_post --
-- Lines that one message carries, in order.
SELECT * FROM lines WHERE post = :post ORDER BY seq;

-- sending_post --
-- A message is about to be sent: from now on it may be in Slack.
UPDATE outbox SET state = 'sending', attempts = attempts + 1, tried_at = :now, not_before = NULL
WHERE id = :id AND state IN ('pending', 'sending')
RETURNING *;

-- post_sent --
-- A message is in Slack.
UPDATE outbox SET state = 'sent', ts = :ts, error = '', not_before = NULL WHERE id = :id
RETURNING subject, kind;

-- post_dead --
-- A message will never be in Slack.
UPDATE outbox SET state = 'dead', error = :error, not_before = NULL WHERE id = :id
RETURNING subject, kind;

-- post_unknown --
-- Whether a message is in Slack must be found out before it is sent again.
UPDATE outbox SET state = 'unknown' WHERE id = :id AND state = 'sending';

-- post_again --
-- A message is known not to be in Slack.
UPDATE outbox SET state = 'pending', not_before = :not_before
WHERE id = :id AND state IN ('pending', 'sending', 'unknown');

-- delay_post --
-- Leave a message alone for a while.
UPDATE outbox SET not_before = :not_before WHERE id = :id;

-- posts_unknown --
-- Messages whose outcome can be looked up now, oldest first.
SELECT outbox.*, cards.channel, cards.ts AS thread FROM outbox JOIN cards ON cards.subject = outbox.subject
WHERE outbox.state = 'unknown' AND cards.failed = '' AND (outbox.not_before IS NULL OR outbox.not_before <= :now)
ORDER BY outbox.id;

-- interrupted_posts --
-- After a restart, or what broke off: whatever was being sent has an unknown outcome, but where a call is under way.
UPDATE outbox SET state = 'unknown' WHERE state = 'sending' AND subject NOT IN (SELECT value FROM json_each(:but));

-- next_due --
-- When the next delay of a card, of a message, of a notice, of a digest or of a look-up ends.
SELECT min(moment) AS moment FROM (
    SELECT min(not_before) AS moment FROM cards WHERE failed = '' AND shown < wanted AND not_before > :now
    UNION ALL
    SELECT min(outbox.not_before) FROM outbox JOIN cards ON cards.subject = outbox.subject
    WHERE outbox.state IN ('pending', 'sending', 'unknown') AND cards.failed = '' AND outbox.not_before > :now
    UNION ALL
    SELECT min(not_before) FROM notices WHERE ts IS NULL AND failed = '' AND not_before > :now
    UNION ALL
    SELECT min(not_before) FROM digests WHERE ended = 0 AND failed = '' AND not_before > :now
);

-- backlog --
-- How much waits to be sent and since when, for metrics; what stands in a thread that has ended is not looked at.
SELECT
    (SELECT count(*) FROM cards WHERE failed = '' AND shown < wanted) AS cards,
    (SELECT count(*) FROM cards CROSS JOIN lines ON lines.subject = cards.subject
        WHERE lines.post IS NULL AND cards.failed = '' AND cards.ended = 0) AS lines,
    (SELECT count(*) FROM cards CROSS JOIN outbox ON outbox.subject = cards.subject
        WHERE outbox.state IN ('pending', 'sending', 'unknown') AND cards.failed = '' AND cards.ended = 0)
        + (SELECT count(*) FROM notices WHERE ts IS NULL AND failed = '') AS posts,
    (SELECT min(moment) FROM (
        SELECT min(lines.at) AS moment FROM cards CROSS JOIN lines ON lines.subject = cards.subject
        WHERE lines.post IS NULL AND cards.failed = '' AND cards.ended = 0
        UNION ALL
        SELECT min(outbox.created_at) FROM cards CROSS JOIN outbox ON outbox.subject = cards.subject
        WHERE outbox.state IN ('pending', 'sending', 'unknown') AND cards.failed = '' AND cards.ended = 0
        UNION ALL
        SELECT min(created_at) FROM cards WHERE failed = '' AND ended = 0 AND ts IS NULL
        UNION ALL
        SELECT min(created_at) FROM notices WHERE ts IS NULL AND failed = ''
    )) AS oldest;
