-- promotion --
-- One promotion.
SELECT * FROM promotions WHERE id = :id;

-- phase_and_token --
-- Whether somebody has moved a promotion on.
SELECT phase, token FROM promotions WHERE id = :id;

-- promotions --
-- The newest promotions of an app first.
SELECT * FROM promotions WHERE app = :app ORDER BY number DESC LIMIT :limit;

-- in_flight --
-- The one promotion of an app that may touch the cluster.
SELECT * FROM promotions
WHERE app = :app AND phase IN ('Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating');

-- another_in_flight --
-- The promotion that keeps one of the same app from being in flight.
SELECT id FROM promotions
WHERE app = :app AND id <> :id
    AND phase IN ('Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating')
    AND :phase IN ('Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating');

-- awaiting --
-- Promotions of an app that wait for approval, or for something else, before they start, oldest first.
SELECT * FROM promotions WHERE app = :app AND phase IN ('AwaitingApproval', 'Scheduled') ORDER BY number;

-- all_awaiting --
-- Promotions of all apps that wait before they start, app by app as their index lies.
SELECT * FROM promotions WHERE phase IN ('AwaitingApproval', 'Scheduled') ORDER BY app, number;

-- unsettled --
-- Every promotion that has not ended, oldest first.
SELECT * FROM promotions
WHERE phase IN ('AwaitingApproval', 'Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Scheduled', 'Updating')
ORDER BY number;

-- phases --
-- How many promotions are in each phase, for metrics.
SELECT phase, promotions FROM promotion_phases WHERE promotions > 0;

-- endings --
-- How many promotions have ended how and why, for metrics.
SELECT phase, reason, promotions FROM promotion_endings;

-- rollout_times --
-- How long rollouts took to each milestone, for metrics.
SELECT milestone, bound, rollouts, seconds FROM rollout_times ORDER BY milestone, bound;

-- add_rollout_time --
-- Count one rollout that has reached a milestone.
INSERT INTO rollout_times (milestone, bound, rollouts, seconds) VALUES (:milestone, :bound, 1, :seconds)
ON CONFLICT (milestone, bound) DO UPDATE SET rollouts = rollouts + 1, seconds = seconds + excluded.seconds;

-- oldest_awaiting --
-- Since when the promotion has waited for approval that has waited longest.
SELECT min(requested_at) AS moment FROM promotions
WHERE phase IN ('AwaitingApproval', 'Scheduled') AND phase = 'AwaitingApproval';

-- last_settled --
-- When a promotion ended last.
SELECT max(settled_at) AS moment FROM promotions WHERE settled_at IS NOT NULL;

-- settled_since --
-- The first promotions that ended at a moment or after it, for traces.
SELECT * FROM promotions WHERE settled_at >= :since ORDER BY settled_at, number LIMIT :limit;

-- last_touched_phase --
-- How the last promotion ended that left something of itself in the cluster.
SELECT phase FROM promotions
WHERE app = :app AND id <> :before AND touched_at IS NOT NULL
    AND phase IN ('Failure', 'Reverted', 'Running', 'Stopped', 'Superseded')
ORDER BY settled_at DESC, number DESC LIMIT 1;

-- last_touched --
-- The newest promotion of an app that has begun to write; promotions start in the order in which they are asked for.
SELECT * FROM promotions WHERE app = :app AND touched_at IS NOT NULL ORDER BY number DESC LIMIT 1;

-- unproved --
-- The last touched promotion of each app, where nothing of it ran and its release was neither verified nor put on hold since.
SELECT promotions.* FROM apps
JOIN promotions ON promotions.number = (
    SELECT last.number FROM promotions AS last
    WHERE last.app = apps.name AND last.touched_at IS NOT NULL ORDER BY last.number DESC LIMIT 1
)
LEFT JOIN standings ON standings.release = promotions.release
WHERE apps.deleted_at IS NULL AND promotions.phase = 'Running' AND promotions.nothing_ran = 1
    AND standings.verified_at IS NULL AND standings.held IS NULL;

-- live_before --
-- The newest promotion of an app before one that said, as it ended, what is active.
SELECT * FROM promotions
WHERE app = :app AND number < (SELECT number FROM promotions WHERE id = :promotion)
    AND touched_at IS NOT NULL AND phase IN ('Reverted', 'Running')
ORDER BY number DESC LIMIT 1;

-- live_entries_until --
-- What the last promotions of an app until a moment made active as they ended, the newest first.
SELECT id, CASE phase WHEN 'Running' THEN release ELSE back_to END AS live, settled_at FROM promotions
WHERE app = :app AND touched_at IS NOT NULL AND settled_at <= :at
    AND phase IN ('Failure', 'Reverted', 'Running', 'Stopped', 'Superseded') AND phase IN ('Reverted', 'Running')
ORDER BY settled_at DESC, number DESC LIMIT :limit;

-- live_entries_after --
-- What the next promotions of an app after a moment made active as they ended, the oldest first.
SELECT id, CASE phase WHEN 'Running' THEN release ELSE back_to END AS live, settled_at FROM promotions
WHERE app = :app AND touched_at IS NOT NULL AND settled_at > :at
    AND phase IN ('Failure', 'Reverted', 'Running', 'Stopped', 'Superseded') AND phase IN ('Reverted', 'Running')
ORDER BY settled_at, number LIMIT :limit;

-- ended_since --
-- The last promotions of an app that have touched the cluster and ended since a moment, the newest first.
SELECT id, app, release, kind, phase, cause_kind, touched_at, settled_at, restarts, cancelled_by, blameless FROM promotions
WHERE app = :app AND touched_at IS NOT NULL AND settled_at > :since
    AND phase IN ('Failure', 'Reverted', 'Running', 'Stopped', 'Superseded')
ORDER BY settled_at DESC, number DESC LIMIT :limit;

-- last_ends --
-- The newest promotion of each app that has ended, for metrics.
SELECT id, app, release, kind, phase, cause_kind, touched_at, settled_at, restarts, cancelled_by, blameless FROM apps
JOIN promotions ON promotions.number = (
    SELECT last.number FROM promotions AS last
    WHERE last.app = apps.name
        AND last.phase IN ('Declined', 'Expired', 'Failure', 'Refused', 'Reverted', 'Running', 'Stopped', 'Superseded')
    ORDER BY last.number DESC LIMIT 1
)
WHERE apps.deleted_at IS NULL ORDER BY settled_at DESC LIMIT :limit;

-- last_failures --
-- The newest promotion of each app that failed after it had written, for metrics.
SELECT id, app, release, kind, phase, cause_kind, touched_at, settled_at, restarts, cancelled_by, blameless FROM apps
JOIN promotions ON promotions.number = (
    SELECT last.number FROM promotions AS last
    WHERE last.app = apps.name AND last.phase IN ('Failure', 'Reverted', 'Stopped')
    ORDER BY last.number DESC LIMIT 1
)
WHERE apps.deleted_at IS NULL ORDER BY settled_at DESC LIMIT :limit;

-- stopped_by --
-- The releases of the promotions that had started when the promotion of another one took their place.
SELECT release FROM promotions WHERE superseded_by = :release AND started_at IS NOT NULL;

-- use_jwt_id --
-- Note that the token of a job has asked for a promotion of an app, unless it has before.
INSERT INTO used_jwt_ids (digest, app, expires_at) VALUES (:digest, :app, :expires_at) ON CONFLICT (digest, app) DO NOTHING;

-- forget_jwt_ids --
-- Forget the tokens of jobs that open nothing any more.
DELETE FROM used_jwt_ids WHERE expires_at <= :now;

-- add_promotion --
-- Ask for a promotion, unless its id is taken; the partial index refuses a second one in flight.
INSERT INTO promotions (
    id, app, release, kind, phase, requested_by, requested_at, source, channel, force, limits, approvals,
    expires_at, started_at, touched_at, stage_at, settled_at, token, back_to, baseline_of,
    declined_by, cancelled_by, stopped_by, taken_over_by, superseded_by, removed, nothing_ran, blameless, overwrite, restarts,
    waits_for, countdown, cause_kind, revision, words, progress
) VALUES (
    :id, :app, :release, :kind, :phase, :requested_by, :requested_at, :source, :channel, :force, :limits, :approvals,
    :expires_at, :started_at, :touched_at, :stage_at, :settled_at, :token, :back_to, :baseline_of,
    :declined_by, :cancelled_by, :stopped_by, :taken_over_by, :superseded_by, :removed, :nothing_ran, :blameless, :overwrite, :restarts,
    :waits_for, :countdown, :cause_kind, :revision, :words, :progress
) ON CONFLICT (id) DO NOTHING;

-- save_promotion --
-- Move a promotion on, unless somebody else has moved it first; what a card shows never goes back in revision.
UPDATE promotions
SET phase = :phase, channel = :channel, force = :force, limits = :limits, approvals = :approvals,
    expires_at = :expires_at, started_at = :started_at, touched_at = :touched_at, stage_at = :stage_at,
    settled_at = :settled_at, token = :token, back_to = :back_to, baseline_of = :baseline_of,
    declined_by = :declined_by, cancelled_by = :cancelled_by, stopped_by = :stopped_by, taken_over_by = :taken_over_by,
    superseded_by = :superseded_by, removed = :removed, nothing_ran = :nothing_ran, blameless = :blameless,
    overwrite = :overwrite, waits_for = :waits_for, countdown = :countdown, cause_kind = :cause_kind,
    revision = CASE WHEN :revision < revision THEN revision + 1 ELSE :revision END,
    words = :words, progress = :progress
WHERE id = :id AND phase = :was;

-- save_progress --
-- Keep what was watched while the phase is still the one it was watched in.
UPDATE promotions SET progress = :progress, revision = max(revision, :revision) WHERE id = :id AND phase = :was;

-- intent --
-- What a promotion found before it touched anything.
SELECT * FROM intents WHERE promotion = :promotion;

-- add_intent --
-- Store what a promotion found, unless it has done so.
INSERT INTO intents (promotion, sealed) VALUES (:promotion, :sealed)
ON CONFLICT (promotion) DO NOTHING;

-- steps --
-- Effects of a promotion, in the order in which they were first sent.
SELECT * FROM steps WHERE promotion = :promotion ORDER BY number;

-- save_step --
-- Write an effect down, or what became of it; its place in the order stays.
INSERT INTO steps (promotion, stage, kind, name, action, state, token, uid, generation, changed, template)
VALUES (:promotion, :stage, :kind, :name, :action, :state, :token, :uid, :generation, :changed, :template)
ON CONFLICT (promotion, stage, kind, name, action) DO UPDATE
SET state = excluded.state, token = excluded.token, uid = excluded.uid, generation = excluded.generation,
    changed = excluded.changed, template = excluded.template;

-- workload_counts --
-- What is recorded of the count of every workload of an app.
SELECT * FROM workload_counts WHERE app = :app;

-- save_workload_count --
-- Keep how many pods a workload was to have and has.
INSERT INTO workload_counts (app, kind, name, count, replicas) VALUES (:app, :kind, :name, :count, :replicas)
ON CONFLICT (app, kind, name) DO UPDATE SET count = excluded.count, replicas = excluded.replicas;

-- forget_replicas --
-- A workload was taken away: how many pods it had is not asked any more.
UPDATE workload_counts SET replicas = NULL WHERE app = :app AND kind = :kind AND name = :name;

-- approvals --
-- Decisions about a promotion, in the order in which they were made.
SELECT * FROM approvals WHERE promotion = :promotion ORDER BY number;

-- add_approval --
-- Keep a person's decision, unless that person has decided.
INSERT INTO approvals (promotion, actor_key, actor, decision, at, reason)
VALUES (:promotion, :actor_key, :actor, :decision, :at, :reason)
ON CONFLICT (promotion, actor_key) DO NOTHING;

-- evidence --
-- The block of log lines that proves why a promotion failed, found from its end: little is told after it.
SELECT * FROM lines WHERE subject = :subject AND kind = 'evidence' ORDER BY seq DESC LIMIT 1;

-- lines --
-- Progress of a promotion after a number, in order.
SELECT * FROM lines WHERE subject = :subject AND seq > :after ORDER BY seq LIMIT :limit;

-- add_line --
-- Append a line under the next number, unless the promotion has one with its mark.
INSERT INTO lines (subject, promotion, build, seq, mark, at, kind, sealed)
SELECT :subject, CASE WHEN :subject LIKE 'P%' THEN :subject END, CASE WHEN :subject LIKE 'B%' THEN :subject END,
    coalesce(max(seq), 0) + 1, :mark, :at, :kind, :sealed FROM lines WHERE subject = :subject
ON CONFLICT (subject, mark) DO NOTHING;

-- prune_jobs --
-- Removals of one app that are still to be done, oldest promotion first.
SELECT prune_jobs.* FROM prune_jobs JOIN promotions ON promotions.id = prune_jobs.promotion
WHERE prune_jobs.app = :app ORDER BY promotions.number;

-- apps_to_prune --
-- Apps that have removals still to be done.
SELECT DISTINCT app FROM prune_jobs ORDER BY app;

-- scale_jobs --
-- Counts that were asked for and have no outcome yet, in order.
SELECT * FROM scale_jobs ORDER BY id;

-- add_scale_job --
-- Keep a count that is about to be set.
INSERT INTO scale_jobs (app, service, kind, name, before, count, actor, promotion, token)
VALUES (:app, :service, :kind, :name, :before, :count, :actor, :promotion, :token)
RETURNING id;

-- finish_scale_job --
-- A count has its outcome.
DELETE FROM scale_jobs WHERE id = :id;

-- add_prune_job --
-- Ask for a removal, unless the promotion has one.
INSERT INTO prune_jobs (promotion, app, refs) VALUES (:promotion, :app, :refs)
ON CONFLICT (promotion) DO NOTHING;

-- finish_prune_job --
-- A removal is done.
DELETE FROM prune_jobs WHERE promotion = :promotion;
