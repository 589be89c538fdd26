-- keep_delivery --
-- Keep what Slack delivered, unless it was delivered before.
INSERT INTO intake (mark, kind, payload, received_at) VALUES (:mark, :kind, :payload, :received_at)
ON CONFLICT (mark) DO NOTHING;

-- pending_deliveries --
-- Deliveries after a number that nobody has handled, in the order in which they came; without a limit every one.
SELECT id, kind, payload, received_at, done_at FROM intake
WHERE handled_at IS NULL AND id > :after ORDER BY id LIMIT coalesce(:limit, -1);

-- done_delivery --
-- A delivery is carried out; only its answer is missing.
UPDATE intake SET done_at = :now WHERE id = :id AND done_at IS NULL;

-- handled_delivery --
-- Forget what a delivery said; its mark stays, so that a repetition is known.
UPDATE intake SET payload = NULL, handled_at = :now WHERE id = :id AND handled_at IS NULL;

-- old_delivery --
-- A delivery of before a moment that Slack cannot repeat any more.
SELECT 1 FROM intake WHERE handled_at < :before LIMIT 1;

-- age_deliveries --
-- Forget some deliveries that Slack cannot repeat any more, the oldest first.
DELETE FROM intake WHERE id IN (SELECT id FROM intake WHERE handled_at < :before ORDER BY handled_at LIMIT :limit);
