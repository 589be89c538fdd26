-- app --
-- One app by name.
SELECT * FROM apps WHERE name = :name AND deleted_at IS NULL;

-- any_app --
-- One app by name, deleted or not.
SELECT * FROM apps WHERE name = :name;

-- apps --
-- Every app, by name.
SELECT * FROM apps WHERE deleted_at IS NULL ORDER BY name;

-- app_of_channel --
-- The app that a channel is linked to.
SELECT * FROM apps WHERE channel = :channel;

-- channel_of_another --
-- The app, other than one, that a channel is linked to.
SELECT name FROM apps WHERE channel = :channel AND name <> :name;

-- add_app --
-- Make an app, unless there is one of its name. One that was deleted goes on with its numbers, which its namespace may remember.
INSERT INTO apps (name, created_at, created_by, channel, active, token, namespace_uid)
VALUES (:name, :created_at, :created_by, :channel, :active, :token, :namespace_uid)
ON CONFLICT (name) DO UPDATE
SET created_at = excluded.created_at, created_by = excluded.created_by, channel = excluded.channel,
    active = excluded.active, namespace_uid = excluded.namespace_uid, deleted_at = NULL
WHERE deleted_at IS NOT NULL;

-- lock_app --
-- Lock an app against its deletion, or unlock it.
UPDATE apps SET locked = :locked WHERE name = :name AND deleted_at IS NULL;

-- delete_app --
-- Take an app out of every list.
UPDATE apps SET deleted_at = :now, active = NULL WHERE name = :name AND deleted_at IS NULL;

-- withdraw_all --
-- Nothing of an app is an automatic target any more.
UPDATE standings SET withdrawn = 1 WHERE app = :app AND verified_at IS NOT NULL AND held IS NULL AND withdrawn = 0;

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

-- build_entry --
-- One build of an app, without its manifest.
SELECT id, app, images, reused, description, git_sha, repository, status, release, started_at, ended_at, created_by FROM builds
WHERE id = :id AND app = :app;

-- builds --
-- The newest builds of an app first, without their manifests.
SELECT id, app, images, reused, description, git_sha, repository, status, release, started_at, ended_at, created_by FROM builds
WHERE app = :app ORDER BY number DESC LIMIT :limit;

-- add_build --
-- Make a build, unless its id is taken.
INSERT INTO builds (
    id, app, manifest, images, reused, description, message, git_sha, committed_at, repository, status, release, started_at, ended_at,
    created_by
) VALUES (
    :id, :app, :manifest, :images, :reused, :description, :message, :git_sha, :committed_at, :repository, :status, :release, :started_at,
    :ended_at, :created_by
) ON CONFLICT (id) DO NOTHING;

-- known_images --
-- Those of some images that a build of an app has had.
SELECT image FROM build_images WHERE app = :app AND image IN (SELECT value FROM json_each(:images));

-- add_build_image --
-- Remember an image that a build of the app has.
INSERT INTO build_images (app, image) VALUES (:app, :image) ON CONFLICT (app, image) DO NOTHING;

-- release --
-- One release of an app.
SELECT * FROM releases WHERE id = :id AND app = :app;

-- releases --
-- The newest releases of an app by sequence.
SELECT * FROM releases WHERE app = :app ORDER BY sequence DESC LIMIT :limit;

-- release_entry --
-- One release of an app, nothing of it sealed.
SELECT * FROM release_entries WHERE id = :id AND app = :app;

-- release_entries --
-- Releases of an app below a sequence and above one, newest first, nothing of them sealed.
SELECT * FROM release_entries
WHERE app = :app AND sequence < coalesce(:below, 9223372036854775807) AND sequence > coalesce(:above, -1) ORDER BY sequence DESC LIMIT :limit;

-- held_entries --
-- The newest releases that failed themselves, and the others of their builds unless one of those was verified; newest first.
WITH newest AS (
    SELECT release, build, spares_build FROM standings WHERE app = :app AND held IS NOT NULL ORDER BY sequence DESC LIMIT :limit
)
SELECT * FROM release_entries
WHERE id IN (
    SELECT release FROM newest
    UNION
    SELECT releases.id FROM newest JOIN releases ON releases.build = newest.build
    WHERE newest.spares_build = 0 AND NOT EXISTS (
        SELECT 1 FROM standings AS other
        WHERE other.build = newest.build AND other.verified_at IS NOT NULL AND other.held IS NULL
    )
)
ORDER BY sequence DESC;

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

-- why_build_held --
-- Why the newest release of a build that is on hold is so.
SELECT held FROM standings WHERE build = :build AND held IS NOT NULL AND spares_build = 0 ORDER BY sequence DESC LIMIT 1;

-- ways_back --
-- The newest releases of an app that were verified and are neither withdrawn nor on hold.
SELECT release FROM standings
WHERE app = :app AND verified_at IS NOT NULL AND held IS NULL AND withdrawn = 0
ORDER BY sequence DESC LIMIT :limit;

-- save_release_status --
-- Keep what has happened to a release.
INSERT INTO standings (release, app, sequence, build, verified_at, held, withdrawn, spares_build)
SELECT id, app, sequence, build, :verified_at, :held, :withdrawn, :spares_build FROM releases WHERE id = :release
ON CONFLICT (release) DO UPDATE
SET verified_at = excluded.verified_at, held = excluded.held, withdrawn = excluded.withdrawn, spares_build = excluded.spares_build;

-- bundle --
-- The stored objects of one release.
SELECT * FROM bundles WHERE release = :release;

-- bundle_stored --
-- Whether the objects of a release are stored.
SELECT 1 FROM bundles WHERE release = :release;

-- bundle_refs --
-- Every object of some kinds that a bundle of an app has ever had.
SELECT kind, name FROM bundle_refs WHERE app = :app AND kind IN (SELECT value FROM json_each(:kinds));

-- add_bundle --
-- Store the objects of a release, unless it has some.
INSERT INTO bundles (release, app, render_version, sealed) VALUES (:release, :app, :render_version, :sealed)
ON CONFLICT (release) DO NOTHING;

-- add_bundle_ref --
-- Remember an object that a bundle of the app has.
INSERT INTO bundle_refs (app, kind, name) VALUES (:app, :kind, :name) ON CONFLICT (app, kind, name) DO NOTHING;

-- registry_logins --
-- The logins of an app at registries, by host.
SELECT * FROM registry_logins WHERE app = :app ORDER BY host;

-- save_registry_login --
-- Keep a login, in place of the one that the app had there.
INSERT INTO registry_logins (app, host, user, sealed, created_at, created_by)
VALUES (:app, :host, :user, :sealed, :created_at, :created_by)
ON CONFLICT (app, host) DO UPDATE
SET user = excluded.user, sealed = excluded.sealed, created_at = excluded.created_at, created_by = excluded.created_by;

-- remove_registry_login --
-- Forget a login.
DELETE FROM registry_logins WHERE app = :app AND host = :host;

-- releases_made --
-- When the commits of some releases, a JSON array of ids, were made, or their builds.
SELECT releases.id, coalesce(builds.committed_at, builds.started_at) AS made_at
FROM releases JOIN builds ON builds.id = releases.build
WHERE releases.id IN (SELECT value FROM json_each(:releases));

-- git_accounts --
-- The accounts of an app at hosts of git, by host.
SELECT * FROM git_accounts WHERE app = :app ORDER BY host;

-- save_git_account --
-- Keep an account, in place of the one that the app had there.
INSERT INTO git_accounts (app, host, user, sealed, created_at, created_by)
VALUES (:app, :host, :user, :sealed, :created_at, :created_by)
ON CONFLICT (app, host) DO UPDATE
SET user = excluded.user, sealed = excluded.sealed, created_at = excluded.created_at, created_by = excluded.created_by;

-- remove_git_account --
-- Forget an account.
DELETE FROM git_accounts WHERE app = :app AND host = :host;

-- freezes --
-- Freezes that people have called, one an app and one of all apps: never more than there are apps.
SELECT * FROM freezes ORDER BY app;

-- save_freeze --
-- Freeze an app, in place of the freeze that it had.
INSERT INTO freezes (app, reason, called_by, since, until, to_tell)
VALUES (:app, :reason, :called_by, :since, :until, :to_tell)
ON CONFLICT (app) DO UPDATE SET
    reason = excluded.reason, called_by = excluded.called_by, since = excluded.since, until = excluded.until,
    to_tell = excluded.to_tell;

-- remove_freeze --
-- End a freeze.
DELETE FROM freezes WHERE app = :app;
