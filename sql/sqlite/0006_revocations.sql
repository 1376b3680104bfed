-- Revocations by what tokens have in common: one row ends every token and code of X that was issued before it.

-- How many there have been; one row. Who revokes adds one and holds this row until the commit, so that numbers are in the
-- order of commits: a statement that sees number n sees every revocation up to n.
CREATE TABLE oauth2_revocation_count (
    number INTEGER NOT NULL
) STRICT;
INSERT INTO oauth2_revocation_count (number) VALUES (0);

-- Null: any. The id is made of what is covered, so that a revocation that is repeated takes the place of the one before.
CREATE TABLE oauth2_revocations (
    id BLOB NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    consumer_id BLOB,
    credential_id BLOB,
    service_id BLOB,
    authenticated_userid TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth2_revocations_number ON oauth2_revocations (number);
-- A token asks by its user, and by what else it hangs on: both stay quick however many revocations there are.
CREATE INDEX oauth2_revocations_authenticated_userid ON oauth2_revocations (authenticated_userid)
    WHERE authenticated_userid IS NOT NULL;
CREATE INDEX oauth2_revocations_holder ON oauth2_revocations (COALESCE(credential_id, consumer_id, service_id))
    WHERE authenticated_userid IS NULL;

-- The number of the last revocation that the statement saw which stored the row; those with higher numbers end it.
ALTER TABLE oauth2_tokens ADD COLUMN issued_after INTEGER NOT NULL DEFAULT 0;
ALTER TABLE oauth2_authorization_codes ADD COLUMN issued_after INTEGER NOT NULL DEFAULT 0;

-- Whose turn it is to do what one node does for all.
CREATE TABLE turns (
    name TEXT NOT NULL PRIMARY KEY,
    holder BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Tokens minted so far bear a stamp of another form: they are known as imported ones are.
UPDATE oauth2_tokens SET custom = TRUE WHERE custom = FALSE;
