-- resealed --
-- How many upgrades of what is sealed the database has seen.
SELECT value FROM meta WHERE name = 'resealed';

-- save_resealed --
-- Keep how many upgrades of what is sealed there were.
INSERT INTO meta (name, value) VALUES ('resealed', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- sealed_words --
-- What every promotion seals of words.
SELECT number, phase, words FROM promotions ORDER BY number;

-- reseal_words --
-- Write the words of a promotion in another form.
UPDATE promotions SET words = :words WHERE number = :number;

-- sealed_active_bundles --
-- The objects that each app runs, and how the promotion that was asked for last had found them.
SELECT bundles.app, bundles.sealed, intents.sealed AS found
FROM apps JOIN bundles ON bundles.release = apps.active
LEFT JOIN intents ON intents.promotion = (
    SELECT id FROM promotions
    WHERE promotions.app = apps.name AND id IN (SELECT promotion FROM intents) ORDER BY number DESC LIMIT 1
);

-- record_count --
-- Record the count of a workload of which nothing is recorded yet.
INSERT INTO workload_counts (app, kind, name, count, replicas) VALUES (:app, :kind, :name, :count, :replicas)
ON CONFLICT (app, kind, name) DO NOTHING;

-- sealed_holds --
-- Why releases are on hold.
SELECT release, held FROM standings WHERE held IS NOT NULL;

-- reseal_hold --
-- Write in another form why a release is on hold.
UPDATE standings SET held = :held WHERE release = :release;

-- sealed_bundles --
-- The objects of some releases after a number, in the order in which they were stored.
SELECT rowid AS number, app, sealed FROM bundles WHERE rowid > :after ORDER BY rowid LIMIT :limit;

-- count_bundles --
-- How many bundles there are.
SELECT count(*) AS bundles FROM bundles;

-- record_ref --
-- Record an object that a bundle of the app has.
INSERT INTO bundle_refs (app, kind, name) VALUES (:app, :kind, :name) ON CONFLICT (app, kind, name) DO NOTHING;
