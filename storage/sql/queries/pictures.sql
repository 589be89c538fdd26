-- add_sample --
-- Keep what one look has counted, up to a number of rows for a promotion; of two at one moment the later one stands.
INSERT INTO pod_samples (promotion, at, stage, counts)
SELECT :promotion, :at, :stage, :counts
WHERE (SELECT count(*) FROM pod_samples WHERE promotion = :promotion) < :most
ON CONFLICT (promotion, at) DO UPDATE SET stage = excluded.stage, counts = excluded.counts;

-- samples --
-- What was counted of a promotion, in order.
SELECT at, stage, counts FROM pod_samples WHERE promotion = :promotion ORDER BY at;

-- succeeded --
-- When the last rollouts of an app began and ended that succeeded, but for one of them.
SELECT started_at, settled_at FROM promotions
WHERE app = :app AND phase = 'Running' AND started_at IS NOT NULL AND id <> :but
ORDER BY settled_at DESC LIMIT :limit;

-- add_picture --
-- Ask for the picture of a promotion, once.
INSERT INTO pictures (promotion, created_at) VALUES (:promotion, :created_at) ON CONFLICT (promotion) DO NOTHING;

-- pictures_open --
-- Pictures that Slack does not have, oldest first, with the thread that each belongs to.
SELECT pictures.*, cards.channel, cards.ts, coalesce(cards.ended, 0) AS thread_ended,
    cards.subject IS NULL OR cards.failed <> '' AS lost
FROM pictures LEFT JOIN cards ON cards.subject = pictures.promotion
WHERE pictures.ended = ''
ORDER BY pictures.created_at;

-- picture_uploaded --
-- A file is about to be put into the thread: from now on it may be there.
UPDATE pictures SET file = :file, tried_at = :now, not_before = NULL WHERE promotion = :promotion AND ended = '';

-- picture_again --
-- It is certain that no file is in the thread.
UPDATE pictures SET file = '', tried_at = NULL, not_before = :not_before WHERE promotion = :promotion AND ended = '';

-- postpone_picture --
-- Leave a picture, or the look-up of its outcome, alone for a while.
UPDATE pictures SET not_before = :not_before WHERE promotion = :promotion;

-- picture_ended --
-- Nothing more is to be done for a picture.
UPDATE pictures SET ended = :ended WHERE promotion = :promotion AND ended = '';
