-- tokens --
-- Every token, in the order in which they were made.
SELECT * FROM tokens ORDER BY number;

-- valid_tokens --
-- The tokens that nobody has revoked.
SELECT * FROM tokens WHERE revoked_at IS NULL;

-- add_token --
-- Keep a new token's hash, unless a valid one has its name.
INSERT INTO tokens (name, sha256, created_at, expires_at, apps) VALUES (:name, :sha256, :created_at, :expires_at, :apps)
ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING;

-- token_revoked_since --
-- Whether the token of a name that was good at a moment was ended by somebody after it; one that had expired by then was not.
SELECT 1 FROM tokens
WHERE name = :name AND created_at <= :at AND revoked_at > :at AND (expires_at IS NULL OR revoked_at < expires_at)
LIMIT 1;

-- revoke_token --
-- End a token; its name may be given again.
UPDATE tokens SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL;

-- revoke_expired_token --
-- Give the name of a token free that opens nothing any more.
UPDATE tokens SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL AND expires_at <= :now;

-- use_token --
-- Note that a token was used.
UPDATE tokens SET used_at = :now WHERE sha256 = :sha256;
