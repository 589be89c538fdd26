-- Freezes that people have called: `app` is a name, or * for all of them. `reason` is the sealed sentence.

CREATE TABLE freezes (
    app       TEXT PRIMARY KEY,
    reason    BLOB NOT NULL,
    called_by TEXT NOT NULL,
    since     TEXT NOT NULL,
    until     TEXT
) STRICT, WITHOUT ROWID;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
