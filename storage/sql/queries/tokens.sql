-- tokens --
-- Every token, in the order in which they were made.
SELECT name, sha256, created_at, revoked_at FROM tokens ORDER BY number;

-- valid_tokens --
-- The tokens that still open something.
SELECT name, sha256 FROM tokens WHERE revoked_at IS NULL;

-- add_token --
-- Keep a new token's hash, unless a valid one has its name.
INSERT INTO tokens (name, sha256, created_at) VALUES (:name, :sha256, :created_at)
ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING;

-- revoke_token --
-- End a token; its name may be given again.
UPDATE tokens SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL;
