-- What makes the token of a job one, by the app that it has asked for a promotion of: it does so once, over restarts too. Kept until the token opens nothing any more.

CREATE TABLE used_jwt_ids (
    digest     TEXT NOT NULL,
    app        TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (digest, app)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_jwt_ids_by_end ON used_jwt_ids (expires_at);

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
