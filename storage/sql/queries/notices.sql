-- add_notice --
-- Ask for a message; a build is announced once, and of a promotion one reminder at a time waits.
INSERT INTO notices (channel, sealed, created_at, kind, promotion, app, release, whom)
VALUES (:channel, :sealed, :created_at, :kind, :promotion, :app, :release, :whom)
ON CONFLICT DO NOTHING;

-- notices_due --
-- Notices that Slack does not have and that may be posted or looked up now, oldest first; what leads to a card waits for that.
SELECT notices.*, cards.channel AS card_channel, cards.ts AS card_ts, promotions.phase
FROM notices
LEFT JOIN promotions ON promotions.id = notices.promotion
LEFT JOIN cards ON cards.subject = notices.promotion
WHERE notices.ts IS NULL AND notices.failed = '' AND (notices.not_before IS NULL OR notices.not_before <= :now)
    AND (notices.promotion IS NULL OR cards.ts IS NOT NULL OR cards.failed <> '' OR promotions.phase <> 'AwaitingApproval')
ORDER BY notices.id;

-- notice_sending --
-- A notice is about to be posted: from now on it may be in Slack.
UPDATE notices SET nonce = :nonce, tried_at = :now, not_before = NULL WHERE id = :id AND ts IS NULL;

-- notice_again --
-- A notice is known not to be in Slack.
UPDATE notices SET nonce = '', tried_at = NULL, not_before = :not_before WHERE id = :id AND ts IS NULL;

-- notice_posted --
-- A notice is in Slack; of a direct message Slack says which conversation that is.
UPDATE notices SET ts = :ts, channel = coalesce(:channel, channel), not_before = NULL WHERE id = :id AND ts IS NULL;

-- notice_failed --
-- A notice will never be in Slack.
UPDATE notices SET failed = :error WHERE id = :id AND ts IS NULL;

-- postpone_notice --
-- Leave a notice, or the look-up of its outcome, alone for a while.
UPDATE notices SET not_before = :not_before WHERE id = :id;

-- notice_place --
-- Where a notice was posted.
SELECT channel, ts FROM notices WHERE id = :id;

-- announced --
-- The build that a message announces.
SELECT channel, ts, app, release FROM notices WHERE channel = :channel AND ts = :ts AND kind = 'build';

-- announcement --
-- The build that a notice announces, wherever it is.
SELECT channel, ts, app, release FROM notices WHERE id = :id AND kind = 'build';

-- reminder --
-- When those who can approve a promotion are reminded next, and when they were last.
SELECT due_at, told_at FROM reminders WHERE promotion = :promotion;

-- schedule_reminder --
-- Remind them then, and no longer at another time.
INSERT INTO reminders (promotion, due_at) VALUES (:promotion, :due_at)
ON CONFLICT (promotion) DO UPDATE SET due_at = excluded.due_at;

-- reminded --
-- They are reminded; nothing more is due.
INSERT INTO reminders (promotion, told_at) VALUES (:promotion, :told_at)
ON CONFLICT (promotion) DO UPDATE SET due_at = NULL, told_at = coalesce(excluded.told_at, told_at);

-- reminders_due --
-- Promotions of which somebody is to be reminded now, longest overdue first.
SELECT promotion FROM reminders WHERE due_at <= :now ORDER BY due_at, promotion;
