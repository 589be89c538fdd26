-- audit_head --
-- The last row of the audit.
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- audit_hash --
-- What closes a row of the audit.
SELECT hash FROM audit WHERE seq = :seq;

-- add_audit --
-- Append a row to the chain.
INSERT INTO audit (seq, at, actor, action, subject, detail, prev_hash, hash)
VALUES (:seq, :at, :actor, :action, :subject, :detail, :prev_hash, :hash);

-- audit_rows --
-- The next rows of the audit, for whoever checks or exports it.
SELECT seq, at, actor, action, subject, detail, prev_hash, hash FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit;
