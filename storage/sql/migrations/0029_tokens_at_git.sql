-- An app has an account at each host of git that it clones from with a token; the token is sealed.

CREATE TABLE git_accounts (
    app        TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    host       TEXT NOT NULL,
    user       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (app, host)
) STRICT, WITHOUT ROWID;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
