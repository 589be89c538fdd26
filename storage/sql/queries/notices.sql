-- add_notice --
-- Ask for a message in a channel.
INSERT INTO notices (channel, sealed, created_at) VALUES (:channel, :sealed, :created_at);

-- notices_due --
-- Notices that Slack does not have and that may be posted or looked up now, oldest first.
SELECT * FROM notices
WHERE ts IS NULL AND failed = '' AND (not_before IS NULL OR not_before <= :now)
ORDER BY id;

-- notice_sending --
-- A notice is about to be posted: from now on it may be in Slack.
UPDATE notices SET nonce = :nonce, tried_at = :now, not_before = NULL WHERE id = :id AND ts IS NULL;

-- notice_again --
-- A notice is known not to be in Slack.
UPDATE notices SET nonce = '', tried_at = NULL, not_before = :not_before WHERE id = :id AND ts IS NULL;

-- notice_posted --
-- A notice is in Slack.
UPDATE notices SET ts = :ts, not_before = NULL WHERE id = :id AND ts IS NULL;

-- notice_failed --
-- A notice will never be in Slack.
UPDATE notices SET failed = :error WHERE id = :id AND ts IS NULL;

-- postpone_notice --
-- Leave a notice, or the look-up of its outcome, alone for a while.
UPDATE notices SET not_before = :not_before WHERE id = :id;
