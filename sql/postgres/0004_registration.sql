-- Application registration: developers, their applications, the contracts of those with services, and the portal.

-- What a consumer stands for: 0 a party of its own, 1 a developer, 2 an application. Only the first are listed.
ALTER TABLE consumers ADD COLUMN type BIGINT NOT NULL DEFAULT 0;

-- The name a service has in the portal; no two have the same.
ALTER TABLE plugins ADD COLUMN display_name TEXT UNIQUE;

-- When the secret of the credential itself ends; null = never. Further secrets stand in `oauth2_credential_secrets`.
ALTER TABLE oauth2_credentials ADD COLUMN client_secret_expires_at TIMESTAMPTZ;
CREATE INDEX oauth2_credentials_client_secret_expires_at ON oauth2_credentials (client_secret_expires_at)
    WHERE client_secret_expires_at IS NOT NULL;

CREATE TABLE oauth2_credential_secrets (
    id UUID NOT NULL PRIMARY KEY,
    credential_id UUID NOT NULL REFERENCES oauth2_credentials (id) ON DELETE CASCADE,
    secret_sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ
);
CREATE INDEX oauth2_credential_secrets_credential_id ON oauth2_credential_secrets (credential_id);
CREATE INDEX oauth2_credential_secrets_expires_at ON oauth2_credential_secrets (expires_at)
    WHERE expires_at IS NOT NULL;

CREATE TABLE developer_roles (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    comment TEXT,
    created_at TIMESTAMPTZ NOT NULL
);

-- Deleting the hidden consumer deletes whom it stands for, with credentials and tokens: one statement, whole or not.
CREATE TABLE developers (
    id UUID NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    status BIGINT NOT NULL,
    meta TEXT,
    custom_id TEXT UNIQUE,
    roles JSONB,
    consumer_id UUID NOT NULL UNIQUE REFERENCES consumers (id) ON DELETE CASCADE,
    password_hash_sealed BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX developers_status ON developers (status);

CREATE TABLE applications (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- `<developer id>_<name>`: a developer has one application of a name.
    name_key TEXT UNIQUE,
    description TEXT,
    redirect_uri TEXT,
    custom_id TEXT UNIQUE,
    developer_id UUID NOT NULL REFERENCES developers (id) ON DELETE CASCADE,
    consumer_id UUID NOT NULL UNIQUE REFERENCES consumers (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX applications_developer_id ON applications (developer_id);

-- A contract: this application may call this service. `composite_id` is `<application id>_<service id>`.
CREATE TABLE application_instances (
    id UUID NOT NULL PRIMARY KEY,
    composite_id TEXT UNIQUE,
    application_id UUID NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    service_id UUID NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    status BIGINT NOT NULL,
    suspended BOOLEAN NOT NULL,
    scopes JSONB,
    note TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX application_instances_application_id ON application_instances (application_id);
CREATE INDEX application_instances_status ON application_instances (status, id);
CREATE INDEX application_instances_service_id_status ON application_instances (service_id, status);

CREATE TABLE document_objects (
    id UUID NOT NULL PRIMARY KEY,
    service_id UUID NOT NULL UNIQUE REFERENCES services (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    contents TEXT,
    created_at TIMESTAMPTZ NOT NULL
);

-- Calls let through and refused, by application and service, in steps of `width` seconds (60 and 3600).
CREATE TABLE application_requests (
    application_id UUID NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    service_id UUID NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    width BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    admitted BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (application_id, service_id, width, at)
);
CREATE INDEX application_requests_service_id ON application_requests (service_id);
CREATE INDEX application_requests_at ON application_requests (width, at);

-- Who is logged in: a developer in the portal, or the holder of an admin token in the console. Of the cookie only the
-- digest is kept; a console session ends with its token, which is looked up by its digest at each request.
CREATE TABLE sessions (
    id UUID NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    developer_id UUID REFERENCES developers (id) ON DELETE CASCADE,
    admin_token_digest BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_developer_id ON sessions (developer_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- What mailed links carry (verification of an address, a new address, a new password); used once.
CREATE TABLE mailed_tokens (
    digest BYTEA NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    email TEXT NOT NULL,
    developer_id UUID NOT NULL REFERENCES developers (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX mailed_tokens_developer_id ON mailed_tokens (developer_id);
CREATE INDEX mailed_tokens_expires_at ON mailed_tokens (expires_at);

-- Mails to be sent, and what has become of them. The text is sealed, for links in it are secrets, and gone once the mail
-- is sent or given up.
CREATE TABLE mails (
    id UUID NOT NULL PRIMARY KEY,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_sealed BYTEA,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    error TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ
);
CREATE INDEX mails_due_at ON mails (due_at) WHERE state = 'waiting';
