-- The first schema. Column conventions: `<name>_id` references, `<name>_digest` is HMAC-SHA256 for lookup,
-- `<name>_sealed` is key number + nonce + AES-256-GCM ciphertext.

CREATE TABLE certificates (
    id UUID NOT NULL PRIMARY KEY,
    cert TEXT NOT NULL,
    key_sealed BYTEA NOT NULL,
    cert_alt TEXT,
    key_alt_sealed BYTEA,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE snis (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    certificate_id UUID NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX snis_certificate_id ON snis (certificate_id);

CREATE TABLE ca_certificates (
    id UUID NOT NULL PRIMARY KEY,
    cert TEXT NOT NULL,
    cert_digest TEXT UNIQUE,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE services (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT UNIQUE,
    retries BIGINT NOT NULL,
    protocol TEXT NOT NULL,
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    path TEXT,
    connect_timeout BIGINT NOT NULL,
    write_timeout BIGINT NOT NULL,
    read_timeout BIGINT NOT NULL,
    tls_verify BOOLEAN,
    tls_verify_depth BIGINT,
    client_certificate_id UUID REFERENCES certificates (id) ON DELETE RESTRICT,
    ca_certificates JSONB,
    enabled BOOLEAN NOT NULL,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX services_client_certificate_id ON services (client_certificate_id);

CREATE TABLE routes (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT UNIQUE,
    protocols JSONB NOT NULL,
    methods JSONB,
    hosts JSONB,
    paths JSONB,
    headers JSONB,
    snis JSONB,
    https_redirect_status_code BIGINT NOT NULL,
    regex_priority BIGINT NOT NULL,
    strip_path BOOLEAN NOT NULL,
    path_handling TEXT NOT NULL,
    preserve_host BOOLEAN NOT NULL,
    request_buffering BOOLEAN NOT NULL,
    response_buffering BOOLEAN NOT NULL,
    service_id UUID REFERENCES services (id) ON DELETE RESTRICT,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX routes_service_id ON routes (service_id);

CREATE TABLE consumers (
    id UUID NOT NULL PRIMARY KEY,
    username TEXT UNIQUE,
    custom_id TEXT UNIQUE,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE plugins (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    instance_name TEXT UNIQUE,
    service_id UUID REFERENCES services (id) ON DELETE CASCADE,
    route_id UUID REFERENCES routes (id) ON DELETE CASCADE,
    consumer_id UUID REFERENCES consumers (id) ON DELETE CASCADE,
    config JSONB,
    protocols JSONB NOT NULL,
    enabled BOOLEAN NOT NULL,
    cache_key TEXT UNIQUE,
    provision_key_digest BYTEA UNIQUE,
    provision_key_sealed BYTEA,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX plugins_service_id ON plugins (service_id);
CREATE INDEX plugins_route_id ON plugins (route_id);
CREATE INDEX plugins_consumer_id ON plugins (consumer_id);

CREATE TABLE oauth2_credentials (
    id UUID NOT NULL PRIMARY KEY,
    consumer_id UUID NOT NULL REFERENCES consumers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    client_secret_sealed BYTEA NOT NULL,
    hash_secret BOOLEAN NOT NULL,
    redirect_uris JSONB,
    client_type TEXT NOT NULL,
    tags JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX oauth2_credentials_consumer_id ON oauth2_credentials (consumer_id);

-- A row past `expires_at` is gone for every reader, swept or not; null = never ends. `custom`: not minted by us.
CREATE TABLE oauth2_tokens (
    id UUID NOT NULL PRIMARY KEY,
    credential_id UUID NOT NULL REFERENCES oauth2_credentials (id) ON DELETE CASCADE,
    service_id UUID REFERENCES services (id) ON DELETE CASCADE,
    token_type TEXT NOT NULL,
    expires_in BIGINT NOT NULL,
    access_token_digest BYTEA NOT NULL UNIQUE,
    access_token_sealed BYTEA NOT NULL,
    refresh_token_digest BYTEA UNIQUE,
    refresh_token_sealed BYTEA,
    authenticated_userid TEXT,
    scope TEXT,
    family_id UUID,
    custom BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ
);
CREATE INDEX oauth2_tokens_credential_id ON oauth2_tokens (credential_id);
CREATE INDEX oauth2_tokens_service_id ON oauth2_tokens (service_id) WHERE service_id IS NOT NULL;
CREATE INDEX oauth2_tokens_family_id ON oauth2_tokens (family_id) WHERE family_id IS NOT NULL;
CREATE INDEX oauth2_tokens_expires_at ON oauth2_tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX oauth2_tokens_authenticated_userid ON oauth2_tokens (authenticated_userid)
    WHERE authenticated_userid IS NOT NULL;
CREATE INDEX oauth2_tokens_custom ON oauth2_tokens (id) WHERE custom = TRUE;

CREATE TABLE oauth2_authorization_codes (
    id UUID NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    credential_id UUID NOT NULL REFERENCES oauth2_credentials (id) ON DELETE CASCADE,
    service_id UUID REFERENCES services (id) ON DELETE CASCADE,
    plugin_id UUID NOT NULL REFERENCES plugins (id) ON DELETE CASCADE,
    scope TEXT,
    authenticated_userid TEXT,
    challenge TEXT,
    challenge_method TEXT,
    redirect_uri TEXT,
    family_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    consumed_at TIMESTAMPTZ
);
CREATE INDEX oauth2_authorization_codes_credential_id ON oauth2_authorization_codes (credential_id);
CREATE INDEX oauth2_authorization_codes_service_id ON oauth2_authorization_codes (service_id);
CREATE INDEX oauth2_authorization_codes_plugin_id ON oauth2_authorization_codes (plugin_id);
CREATE INDEX oauth2_authorization_codes_expires_at ON oauth2_authorization_codes (expires_at);

-- Of an admin token only the digest is kept.
CREATE TABLE admin_tokens (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    digest BYTEA NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE audit_requests (
    id UUID NOT NULL PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    request_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    source TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status BIGINT NOT NULL
);
