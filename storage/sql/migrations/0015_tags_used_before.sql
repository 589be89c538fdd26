-- A tag that an earlier build had too may lie on a node with what it meant then: its pods pull it anew.

ALTER TABLE builds ADD COLUMN reused TEXT NOT NULL DEFAULT '[]';

-- Every image that a build of the app has ever had, once.
CREATE TABLE build_images (
    app   TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    image TEXT NOT NULL,
    PRIMARY KEY (app, image)
) STRICT, WITHOUT ROWID;
INSERT INTO build_images (app, image)
SELECT DISTINCT builds.app, substr(each.value, 1, instr(each.value || '@', '@') - 1) FROM builds, json_each(builds.images) AS each;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
