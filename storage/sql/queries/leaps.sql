-- forget_delays_of_cards --
-- Edit a card at once that waits for a time to which no delay leads.
UPDATE cards SET not_before = NULL WHERE failed = '' AND shown < wanted AND not_before > :latest;

-- forget_delays_of_posts --
-- Send, or look for, a message of a thread at once; that it was tried lies ahead as well.
UPDATE outbox SET not_before = NULL WHERE state IN ('pending', 'sending', 'unknown') AND not_before > :latest;

-- forget_delays_of_notices --
-- The same of a message of a channel.
UPDATE notices SET not_before = NULL WHERE ts IS NULL AND failed = '' AND not_before > :latest;

-- forget_delays_of_digests --
-- The same of a digest.
UPDATE digests SET not_before = NULL WHERE ended = 0 AND failed = '' AND not_before > :latest;

-- forget_delays_of_pictures --
-- The same of a picture.
UPDATE pictures SET not_before = NULL WHERE ended = '' AND not_before > :latest;

-- forget_delays_of_events --
-- The same of an event for somebody else.
UPDATE outgoing_events SET not_before = NULL WHERE not_before > :latest;

-- leapt_delay --
-- Anything that waits for a time to which no delay leads.
SELECT 1 WHERE EXISTS (SELECT 1 FROM cards WHERE failed = '' AND shown < wanted AND not_before > :latest)
    OR EXISTS (SELECT 1 FROM outbox WHERE state IN ('pending', 'sending', 'unknown') AND not_before > :latest)
    OR EXISTS (SELECT 1 FROM notices WHERE ts IS NULL AND failed = '' AND not_before > :latest)
    OR EXISTS (SELECT 1 FROM digests WHERE ended = 0 AND failed = '' AND not_before > :latest)
    OR EXISTS (SELECT 1 FROM pictures WHERE ended = '' AND not_before > :latest)
    OR EXISTS (SELECT 1 FROM outgoing_events WHERE not_before > :latest);
