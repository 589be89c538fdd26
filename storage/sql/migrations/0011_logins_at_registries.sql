-- An app has a login at each registry that asks for one; the password is sealed.

CREATE TABLE registry_logins (
    app        TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    host       TEXT NOT NULL,
    user       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (app, host)
) STRICT, WITHOUT ROWID;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
