-- app --
-- One app by name.
SELECT * FROM apps WHERE name = :name;

-- apps --
-- Every app, by name.
SELECT * FROM apps ORDER BY name;

-- app_of_channel --
-- The app that a channel is linked to.
SELECT * FROM apps WHERE channel = :channel;

-- channel_of_another --
-- The app, other than one, that a channel is linked to.
SELECT name FROM apps WHERE channel = :channel AND name <> :name;

-- add_app --
-- Make an app, unless there is one of its name.
INSERT INTO apps (name, created_at, created_by, channel, active, token, namespace_uid)
VALUES (:name, :created_at, :created_by, :channel, :active, :token, :namespace_uid)
ON CONFLICT (name) DO NOTHING;

-- save_app --
-- Keep what changes of an app; who made it and when never does.
UPDATE apps
SET channel = :channel, active = :active, token = :token, namespace_uid = :namespace_uid
WHERE name = :name;

-- unlink --
-- Take a channel away from every app but one.
UPDATE apps SET channel = NULL WHERE channel = :channel AND name <> :app;

-- link --
-- Give an app its channel, or none.
UPDATE apps SET channel = :channel WHERE name = :app;

-- build --
-- One build of an app.
SELECT * FROM builds WHERE id = :id AND app = :app;

-- builds --
-- The newest builds of an app first; without a limit every one.
SELECT * FROM builds WHERE app = :app ORDER BY number DESC LIMIT coalesce(:limit, -1);

-- add_build --
-- Make a build, unless its id is taken.
INSERT INTO builds (id, app, manifest, images, description, git_sha, status, release, started_at, ended_at, created_by)
VALUES (:id, :app, :manifest, :images, :description, :git_sha, :status, :release, :started_at, :ended_at, :created_by)
ON CONFLICT (id) DO NOTHING;

-- release --
-- One release of an app.
SELECT * FROM releases WHERE id = :id AND app = :app;

-- releases --
-- Releases of an app by sequence, newest first; without a limit every one.
SELECT * FROM releases WHERE app = :app ORDER BY sequence DESC LIMIT coalesce(:limit, -1);

-- add_release --
-- Make a release, unless its id is taken.
INSERT INTO releases (id, app, sequence, build, environment, description, created_at, created_by, copy_of)
VALUES (:id, :app, :sequence, :build, :environment, :description, :created_at, :created_by, :copy_of)
ON CONFLICT (id) DO NOTHING;

-- next_sequence --
-- The number that the next release of an app takes.
SELECT coalesce(max(sequence), 0) + 1 AS sequence FROM releases WHERE app = :app;

-- release_status --
-- What has happened to one release.
SELECT * FROM standings WHERE release = :release;

-- release_statuses --
-- What has happened to the releases of an app.
SELECT standings.* FROM standings JOIN releases ON releases.id = standings.release WHERE releases.app = :app;

-- save_release_status --
-- Keep what has happened to a release.
INSERT INTO standings (release, verified_at, held, withdrawn, spares_build)
VALUES (:release, :verified_at, :held, :withdrawn, :spares_build)
ON CONFLICT (release) DO UPDATE
SET verified_at = excluded.verified_at, held = excluded.held, withdrawn = excluded.withdrawn, spares_build = excluded.spares_build;

-- bundle --
-- The stored objects of one release.
SELECT * FROM bundles WHERE release = :release;

-- bundles --
-- The stored objects of every release of an app, oldest release first.
SELECT bundles.* FROM bundles JOIN releases ON releases.id = bundles.release
WHERE bundles.app = :app ORDER BY releases.sequence;

-- add_bundle --
-- Store the objects of a release, unless it has some.
INSERT INTO bundles (release, app, render_version, sealed) VALUES (:release, :app, :render_version, :sealed)
ON CONFLICT (release) DO NOTHING;
