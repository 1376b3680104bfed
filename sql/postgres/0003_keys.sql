-- API keys (plugin key-auth) and what JSON Web Tokens are verified with (plugin jwt).

-- A row past `expires_at` is gone for every reader, swept or not; null = never ends.
CREATE TABLE keyauth_credentials (
    id UUID NOT NULL PRIMARY KEY,
    consumer_id UUID NOT NULL REFERENCES consumers (id) ON DELETE CASCADE,
    key_digest BYTEA NOT NULL UNIQUE,
    key_sealed BYTEA NOT NULL,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ
);
CREATE INDEX keyauth_credentials_consumer_id ON keyauth_credentials (consumer_id);
CREATE INDEX keyauth_credentials_expires_at ON keyauth_credentials (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE jwt_secrets (
    id UUID NOT NULL PRIMARY KEY,
    consumer_id UUID NOT NULL REFERENCES consumers (id) ON DELETE CASCADE,
    key TEXT NOT NULL UNIQUE,
    secret_sealed BYTEA NOT NULL,
    rsa_public_key TEXT,
    algorithm TEXT NOT NULL,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX jwt_secrets_consumer_id ON jwt_secrets (consumer_id);
