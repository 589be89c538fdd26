-- audit_head --
-- The last row of the audit.
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- add_audit --
-- Append a row to the chain.
INSERT INTO audit (seq, at, actor, action, subject, detail, prev_hash, hash)
VALUES (:seq, :at, :actor, :action, :subject, :detail, :prev_hash, :hash);
