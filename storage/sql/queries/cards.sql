-- card --
-- The parent message of a promotion.
SELECT * FROM cards WHERE promotion = :promotion;

-- add_card --
-- Ask for the parent message of a promotion.
INSERT INTO cards (promotion, channel, created_at, wanted)
SELECT :promotion, :channel, :created_at, revision FROM promotions WHERE id = :promotion;

-- cards_due --
-- Cards that were never posted or show an older revision than there is, by channel.
SELECT * FROM cards
WHERE failed = '' AND shown < wanted AND (not_before IS NULL OR not_before <= :now)
ORDER BY channel, created_at, promotion;

-- card_sending --
-- A card is about to be posted: from now on it may be in Slack.
UPDATE cards SET nonce = :nonce, tried_at = :now WHERE promotion = :promotion AND ts IS NULL;

-- card_again --
-- A card is known not to be in Slack.
UPDATE cards SET nonce = '', tried_at = NULL, not_before = :not_before WHERE promotion = :promotion AND ts IS NULL;

-- card_posted --
-- A card is in Slack.
UPDATE cards SET ts = :ts, shown = max(shown, :shown), not_before = NULL
WHERE promotion = :promotion AND (ts IS NULL OR ts = :ts);

-- card_shown --
-- A card shows a revision.
UPDATE cards SET shown = max(shown, :shown), not_before = NULL WHERE promotion = :promotion;

-- card_failed --
-- A card will never be shown.
UPDATE cards SET failed = :error WHERE promotion = :promotion;

-- delay_card --
-- Leave a card alone for a while.
UPDATE cards SET not_before = :not_before WHERE promotion = :promotion;

-- end_thread --
-- Nothing more goes into the thread of a promotion.
UPDATE cards SET ended = 1 WHERE promotion = :promotion;
