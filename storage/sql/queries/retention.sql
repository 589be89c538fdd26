-- retention_mark --
-- Up to where records have aged.
SELECT until, number FROM retention_marks WHERE records = :records;

-- retention_marks --
-- How many rows have aged, for metrics.
SELECT records, rows FROM retention_marks WHERE records NOT LIKE '%:owed';

-- mark_ahead --
-- A mark that lies ahead of now.
SELECT records FROM retention_marks WHERE until > :now;

-- begin_again --
-- Have everything looked through again that such a mark has passed.
UPDATE retention_marks SET until = '', number = 0 WHERE until > :now;

-- count_aged --
-- So many rows more have aged.
INSERT INTO retention_marks (records, until, number, rows) VALUES (:records, '', 0, :rows)
ON CONFLICT (records) DO UPDATE SET rows = rows + excluded.rows;

-- move_retention_mark --
-- Whatever ended up to there has no such records any more.
INSERT INTO retention_marks (records, until, number, rows) VALUES (:records, :until, :number, 0)
ON CONFLICT (records) DO UPDATE SET until = excluded.until, number = excluded.number;

-- promotion_to_age --
-- The next promotion that ended before a moment; whether Slack has all of its thread, or never will.
SELECT id, number, settled_at AS ended_at, NOT EXISTS (
    SELECT 1 FROM cards WHERE cards.subject = promotions.id AND failed = '' AND ended = 0
) AS told
FROM promotions
WHERE settled_at < :before AND settled_at >= :until AND (settled_at > :until OR number > :number)
ORDER BY settled_at, number LIMIT 1;

-- build_to_age --
-- The next build that ended before a moment; whether Slack has all of its thread, or never will.
SELECT id, number, ended_at, NOT EXISTS (
    SELECT 1 FROM cards WHERE cards.subject = build_runs.id AND failed = '' AND ended = 0
) AS told
FROM build_runs
WHERE ended_at < :before AND ended_at >= :until AND (ended_at > :until OR number > :number)
ORDER BY ended_at, number LIMIT 1;

-- promotion_aged --
-- Whether the records of a promotion have aged.
SELECT 1 FROM promotions JOIN retention_marks ON retention_marks.records = :records
WHERE promotions.id = :subject
    AND (settled_at < until OR settled_at = until AND promotions.number <= retention_marks.number);

-- build_aged --
-- Whether the log of a build has aged.
SELECT 1 FROM build_runs JOIN retention_marks ON retention_marks.records = :records
WHERE build_runs.id = :subject
    AND (ended_at < until OR ended_at = until AND build_runs.number <= retention_marks.number);

-- age_lines --
-- Delete some of the lines of a promotion, but for what proves why it failed.
DELETE FROM lines WHERE rowid IN (SELECT rowid FROM lines WHERE subject = :subject AND kind <> 'evidence' LIMIT :limit);

-- age_evidence --
-- Delete what proves why a promotion failed.
DELETE FROM lines WHERE rowid IN (SELECT rowid FROM lines WHERE subject = :subject AND kind = 'evidence' LIMIT :limit);

-- age_thread --
-- Delete some of all that a thread has said.
DELETE FROM lines WHERE rowid IN (SELECT rowid FROM lines WHERE subject = :subject LIMIT :limit);

-- age_posts --
-- Delete some of the messages of a thread whose lines are gone; the last one, with the verdict, stays.
DELETE FROM outbox WHERE id IN (
    SELECT id FROM outbox
    WHERE subject = :subject AND kind = 'lines' AND state IN ('sent', 'dead')
        AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.post = outbox.id)
    LIMIT :limit
);

-- give_up_thread --
-- Tell nothing more of what ended so long ago.
UPDATE cards SET failed = 'too old' WHERE subject = :subject AND failed = '' AND ended = 0 AND :limit > 0;

-- give_up_posts --
-- Nor send what was made for its thread.
UPDATE outbox SET state = 'dead', error = 'too old'
WHERE subject = :subject AND state IN ('pending', 'sending', 'unknown') AND :limit > 0;

-- age_samples --
-- Delete some of what was counted of a promotion, unless its picture is still to be drawn.
DELETE FROM pod_samples WHERE promotion = :subject
    AND at IN (SELECT at FROM pod_samples AS old WHERE old.promotion = :subject LIMIT :limit)
    AND NOT EXISTS (SELECT 1 FROM pictures WHERE pictures.promotion = :subject AND pictures.ended = '');

-- age_picture --
-- Forget the picture of a promotion that nothing more is to be done for.
DELETE FROM pictures WHERE promotion = :subject AND ended <> '' AND :limit > 0;

-- age_reminder --
-- Forget when somebody was reminded of a promotion.
DELETE FROM reminders WHERE promotion = :subject AND :limit > 0;

-- age_build_lines --
-- Delete some of the log of a build, the oldest first.
DELETE FROM build_lines WHERE build = :subject
    AND number IN (SELECT number FROM build_lines AS old WHERE old.build = :subject ORDER BY number LIMIT :limit);

-- old_notice --
-- A message of before a moment that is in Slack, or never will be, but for those that announce a build.
SELECT 1 FROM notices
WHERE kind <> 'build' AND (ts IS NOT NULL OR failed <> '') AND created_at < :before LIMIT 1;

-- age_notices --
-- Delete some messages that are in Slack, or never will be, but for those that announce a build.
DELETE FROM notices WHERE id IN (
    SELECT id FROM notices
    WHERE kind <> 'build' AND (ts IS NOT NULL OR failed <> '') AND created_at < :before ORDER BY created_at LIMIT :limit
);
