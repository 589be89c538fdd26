-- rollouts_without_digest --
-- Channels with rollouts that no digest stands for: how many, and the digest that is young enough for them to join, if there is one.
SELECT cards.channel, count(*) AS rollouts,
    (SELECT max(id) FROM digests WHERE digests.channel = cards.channel AND ended = 0 AND failed = '' AND created_at > :since) AS digest
FROM cards CROSS JOIN promotions ON promotions.id = cards.promotion
WHERE cards.failed = '' AND cards.ended = 0 AND cards.digest IS NULL
    AND promotions.phase IN ('Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating')
GROUP BY cards.channel;

-- add_digest --
-- Ask for a message that tells of all rollouts of a channel.
INSERT INTO digests (channel, created_at) VALUES (:channel, :created_at) RETURNING id;

-- join_digest --
-- From now on it stands for every rollout of its channel that no other one stands for.
UPDATE cards SET digest = :digest
WHERE failed = '' AND ended = 0 AND channel = :channel AND digest IS NULL
    AND EXISTS (
        SELECT 1 FROM promotions WHERE id = cards.promotion AND phase IN ('Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating')
    );

-- digests_due --
-- Digests that were never posted or show less than there is; revisions only grow, and so does their sum.
SELECT digests.*, sum(cards.wanted + 1) AS wanted,
    sum(promotions.phase IN ('Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating')) AS rollouts
FROM digests CROSS JOIN cards ON cards.digest = digests.id CROSS JOIN promotions ON promotions.id = cards.promotion
WHERE digests.ended = 0 AND digests.failed = '' AND (digests.not_before IS NULL OR digests.not_before <= :now)
GROUP BY digests.channel, digests.id HAVING digests.shown < sum(cards.wanted + 1)
ORDER BY digests.channel, digests.id;

-- digest_sending --
-- A digest is about to be posted: from now on it may be in Slack.
UPDATE digests SET nonce = :nonce, tried_at = :now, not_before = NULL WHERE id = :id AND ts IS NULL;

-- digest_again --
-- A digest is known not to be in Slack.
UPDATE digests SET nonce = '', tried_at = NULL, not_before = :not_before WHERE id = :id AND ts IS NULL;

-- digest_posted --
-- A digest is in Slack, and is edited next.
UPDATE digests SET ts = :ts, not_before = NULL WHERE id = :id AND ts IS NULL;

-- digest_shown --
-- A digest shows so much; the last state of it is its end.
UPDATE digests SET shown = max(shown, :shown), ended = :ended, not_before = NULL WHERE id = :id;

-- digest_failed --
-- A digest will never be shown.
UPDATE digests SET failed = :error WHERE id = :id;

-- postpone_digest --
-- Leave a digest, or the look-up of its outcome, alone for a while.
UPDATE digests SET not_before = :not_before WHERE id = :id;

-- digest_cards --
-- The cards that a digest stands for, in the order in which they were asked for.
SELECT * FROM cards WHERE digest = :digest ORDER BY created_at, subject;
