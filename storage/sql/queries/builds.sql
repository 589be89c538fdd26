-- build_run --
-- One build that the cluster makes.
SELECT * FROM build_runs WHERE id = :id;

-- build_run_entry --
-- One build that the cluster makes, without what is sealed.
SELECT id, app, status, description, git_sha, images, created_at, created_by, started_at, ended_at, release FROM build_runs
WHERE id = :id;

-- builds_without_release --
-- The builds of an app that have made no release, newest first, without what was asked for.
SELECT id, app, status, description, git_sha, images, created_at, created_by, started_at, ended_at, release FROM build_runs
WHERE app = :app AND release = '' ORDER BY number DESC LIMIT :limit;

-- queued_builds --
-- The builds of an app that wait for their turn, oldest first.
SELECT * FROM build_runs WHERE app = :app AND status = 'created' ORDER BY number;

-- open_builds --
-- The builds that have not ended, or of which something is left to clear up.
SELECT * FROM build_runs WHERE cleared = 0 ORDER BY number;

-- add_build_run --
-- Make a build that the cluster is to make, unless its id is taken.
INSERT INTO build_runs (
    id, app, status, description, git_sha, images, request, created_at, created_by,
    started_at, ended_at, job, release, reason, log_since, log_seen, cleared, source, waits, base
)
SELECT
    :id, :app, :status, :description, :git_sha, :images, :request, :created_at, :created_by,
    :started_at, :ended_at, :job, :release, :reason, :log_since, :log_seen, :cleared, :source, :waits, :base
WHERE NOT EXISTS (SELECT 1 FROM builds WHERE id = :id)
ON CONFLICT (id) DO NOTHING;

-- save_build_run --
-- Keep what changes of a build, if it still is what it was.
UPDATE build_runs
SET status = :status, started_at = :started_at, ended_at = :ended_at, base = :base, job = :job, release = :release,
    reason = :reason, log_since = :log_since, log_seen = :log_seen, cleared = :cleared, waits = :waits
WHERE id = :id AND status = :was;

-- save_build_clone --
-- Keep what the clone of a repository has told of a build, while that runs.
UPDATE build_runs SET description = :description, git_sha = :git_sha, request = :request
WHERE id = :id AND status = 'running';

-- another_build_running --
-- The build of an app, other than one, that is running.
SELECT id FROM build_runs WHERE app = :app AND status = 'running' AND id <> :id;

-- another_build_of_source --
-- The build, other than one, that is made of a source, and has not failed.
SELECT id FROM build_runs WHERE source = :source AND source <> '' AND status <> 'failed' AND id <> :id;

-- last_build_line --
-- The number of the last line of a log.
SELECT last FROM build_lines WHERE build = :build ORDER BY number DESC LIMIT 1;

-- add_build_lines --
-- Append lines to the log of a build.
INSERT INTO build_lines (build, number, last, sealed) VALUES (:build, :number, :last, :sealed);

-- forget_build_lines --
-- Forget the oldest lines of a log.
DELETE FROM build_lines WHERE build = :build AND last <= :oldest;

-- build_lines --
-- Lines of a log after one of them, in the pieces in which they were appended.
SELECT number, last, sealed FROM build_lines WHERE build = :build AND last > :after ORDER BY number LIMIT :limit;

-- build_of_push --
-- The build that a push has started.
SELECT build FROM pushes WHERE mark = :mark;

-- remember_push --
-- Remember that a push has started a build.
INSERT INTO pushes (mark, build, at) VALUES (:mark, :build, :at) ON CONFLICT (mark) DO NOTHING;

-- forget_pushes --
-- Forget some pushes that are refused by their age if they are told again, the oldest first.
DELETE FROM pushes WHERE mark IN (SELECT mark FROM pushes WHERE at < :before ORDER BY at LIMIT :limit);

-- promotion_jobs --
-- The builds whose release is still to be asked for, in the order in which they were asked for.
SELECT build_runs.* FROM promotion_jobs CROSS JOIN build_runs ON build_runs.id = promotion_jobs.build ORDER BY build_runs.number;

-- add_promotion_job --
-- The release of a build is to be asked for.
INSERT INTO promotion_jobs (build) VALUES (:build);

-- finish_promotion_job --
-- It was asked for, or never will be.
DELETE FROM promotion_jobs WHERE build = :build;

-- build_endings --
-- How many builds have ended how, and how long they ran, for metrics.
SELECT status, builds, seconds FROM build_endings;

-- builds_under_way --
-- How many builds wait for their turn or run, for metrics.
SELECT
    (SELECT count(*) FROM build_runs WHERE status = 'created') AS created,
    (SELECT count(*) FROM build_runs WHERE status = 'running') AS running;
