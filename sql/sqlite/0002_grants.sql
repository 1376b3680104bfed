-- Which token a code was exchanged for: redemption and issuance are one transaction, and this ties them together.
ALTER TABLE oauth2_authorization_codes ADD COLUMN consumed_by BLOB;

-- Refresh tokens that rotation replaced, so that a replay can be told from a stranger: within the grace it gets the
-- successor's pair again, later it revokes the family. Kept apart from live tokens; readers of those never see it.
CREATE TABLE oauth2_replaced_refresh_tokens (
    digest BLOB NOT NULL PRIMARY KEY,
    credential_id BLOB NOT NULL REFERENCES oauth2_credentials (id) ON DELETE CASCADE,
    family_id BLOB NOT NULL,
    successor_id BLOB NOT NULL,
    replaced_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth2_replaced_refresh_tokens_credential_id ON oauth2_replaced_refresh_tokens (credential_id);
CREATE INDEX oauth2_replaced_refresh_tokens_family_id ON oauth2_replaced_refresh_tokens (family_id);
CREATE INDEX oauth2_replaced_refresh_tokens_expires_at ON oauth2_replaced_refresh_tokens (expires_at);
