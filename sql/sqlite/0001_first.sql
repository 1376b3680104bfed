-- The first schema. Column conventions: `<name>_id` references, `<name>_digest` is HMAC-SHA256 for lookup,
-- `<name>_sealed` is key number + nonce + AES-256-GCM ciphertext.

CREATE TABLE certificates (
    id BLOB NOT NULL PRIMARY KEY,
    cert TEXT NOT NULL,
    key_sealed BLOB NOT NULL,
    cert_alt TEXT,
    key_alt_sealed BLOB,
    tags TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE snis (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    certificate_id BLOB NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
    tags TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX snis_certificate_id ON snis (certificate_id);

CREATE TABLE ca_certificates (
    id BLOB NOT NULL PRIMARY KEY,
    cert TEXT NOT NULL,
    cert_digest TEXT UNIQUE,
    tags TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE services (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT UNIQUE,
    retries INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    path TEXT,
    connect_timeout INTEGER NOT NULL,
    write_timeout INTEGER NOT NULL,
    read_timeout INTEGER NOT NULL,
    tls_verify INTEGER,
    tls_verify_depth INTEGER,
    client_certificate_id BLOB REFERENCES certificates (id) ON DELETE RESTRICT,
    ca_certificates TEXT,
    enabled INTEGER NOT NULL,
    tags TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX services_client_certificate_id ON services (client_certificate_id);

CREATE TABLE routes (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT UNIQUE,
    protocols TEXT NOT NULL,
    methods TEXT,
    hosts TEXT,
    paths TEXT,
    headers TEXT,
    snis TEXT,
    https_redirect_status_code INTEGER NOT NULL,
    regex_priority INTEGER NOT NULL,
    strip_path INTEGER NOT NULL,
    path_handling TEXT NOT NULL,
    preserve_host INTEGER NOT NULL,
    request_buffering INTEGER NOT NULL,
    response_buffering INTEGER NOT NULL,
    service_id BLOB REFERENCES services (id) ON DELETE RESTRICT,
    tags TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX routes_service_id ON routes (service_id);

CREATE TABLE consumers (
    id BLOB NOT NULL PRIMARY KEY,
    username TEXT UNIQUE,
    custom_id TEXT UNIQUE,
    tags TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE plugins (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    instance_name TEXT UNIQUE,
    service_id BLOB REFERENCES services (id) ON DELETE CASCADE,
    route_id BLOB REFERENCES routes (id) ON DELETE CASCADE,
    consumer_id BLOB REFERENCES consumers (id) ON DELETE CASCADE,
    config TEXT,
    protocols TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    cache_key TEXT UNIQUE,
    provision_key_digest BLOB UNIQUE,
    provision_key_sealed BLOB,
    tags TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX plugins_service_id ON plugins (service_id);
CREATE INDEX plugins_route_id ON plugins (route_id);
CREATE INDEX plugins_consumer_id ON plugins (consumer_id);

CREATE TABLE oauth2_credentials (
    id BLOB NOT NULL PRIMARY KEY,
    consumer_id BLOB NOT NULL REFERENCES consumers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    client_secret_sealed BLOB NOT NULL,
    hash_secret INTEGER NOT NULL,
    redirect_uris TEXT,
    client_type TEXT NOT NULL,
    tags TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth2_credentials_consumer_id ON oauth2_credentials (consumer_id);

-- A row past `expires_at` is gone for every reader, swept or not; null = never ends. `custom`: not minted by us.
CREATE TABLE oauth2_tokens (
    id BLOB NOT NULL PRIMARY KEY,
    credential_id BLOB NOT NULL REFERENCES oauth2_credentials (id) ON DELETE CASCADE,
    service_id BLOB REFERENCES services (id) ON DELETE CASCADE,
    token_type TEXT NOT NULL,
    expires_in INTEGER NOT NULL,
    access_token_digest BLOB NOT NULL UNIQUE,
    access_token_sealed BLOB NOT NULL,
    refresh_token_digest BLOB UNIQUE,
    refresh_token_sealed BLOB,
    authenticated_userid TEXT,
    scope TEXT,
    family_id BLOB,
    custom INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX oauth2_tokens_credential_id ON oauth2_tokens (credential_id);
CREATE INDEX oauth2_tokens_service_id ON oauth2_tokens (service_id) WHERE service_id IS NOT NULL;
CREATE INDEX oauth2_tokens_family_id ON oauth2_tokens (family_id) WHERE family_id IS NOT NULL;
CREATE INDEX oauth2_tokens_expires_at ON oauth2_tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX oauth2_tokens_authenticated_userid ON oauth2_tokens (authenticated_userid)
    WHERE authenticated_userid IS NOT NULL;
CREATE INDEX oauth2_tokens_custom ON oauth2_tokens (id) WHERE custom = TRUE;

CREATE TABLE oauth2_authorization_codes (
    id BLOB NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    credential_id BLOB NOT NULL REFERENCES oauth2_credentials (id) ON DELETE CASCADE,
    service_id BLOB REFERENCES services (id) ON DELETE CASCADE,
    plugin_id BLOB NOT NULL REFERENCES plugins (id) ON DELETE CASCADE,
    scope TEXT,
    authenticated_userid TEXT,
    challenge TEXT,
    challenge_method TEXT,
    redirect_uri TEXT,
    family_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    consumed_at INTEGER
) STRICT;
CREATE INDEX oauth2_authorization_codes_credential_id ON oauth2_authorization_codes (credential_id);
CREATE INDEX oauth2_authorization_codes_service_id ON oauth2_authorization_codes (service_id);
CREATE INDEX oauth2_authorization_codes_plugin_id ON oauth2_authorization_codes (plugin_id);
CREATE INDEX oauth2_authorization_codes_expires_at ON oauth2_authorization_codes (expires_at);

-- Of an admin token only the digest is kept.
CREATE TABLE admin_tokens (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_requests (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    source TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL
) STRICT;
