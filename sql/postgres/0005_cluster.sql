-- Several nodes: who listens to which history of the bus, and which version the configuration has.

-- The latest epoch that any node was allowed to enter; the one row. Closed, it lets nobody in again.
CREATE TABLE cluster_epoch (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch TEXT,
    generation BIGINT NOT NULL,
    is_open BOOLEAN NOT NULL
);
INSERT INTO cluster_epoch (id, epoch, generation, is_open) VALUES (1, NULL, -1, FALSE);

-- Nodes that may hold something in memory. No times: who reads twice and finds the same beat has seen no sign of life.
CREATE TABLE cluster_roster (
    node UUID NOT NULL PRIMARY KEY,
    epoch TEXT,
    turn BIGINT NOT NULL,
    beat BIGINT NOT NULL
);

-- Counts the committed changes of what the data plane is compiled from; the one row. Not a sequence: those are seen before
-- the commit, and then name a version whose rows are not there yet.
CREATE TABLE configuration_version (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO configuration_version (id, version) VALUES (1, 1);

-- The table is named with its schema, since whoever changes rows by hand may have another search path.
CREATE FUNCTION move_configuration_version() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'TRUNCATE' THEN
        IF NOT EXISTS (SELECT 1 FROM changed) THEN
            RETURN NULL;
        END IF;
    END IF;
    EXECUTE format('UPDATE %I.configuration_version SET version = version + 1', TG_TABLE_SCHEMA);
    RETURN NULL;
END
$$;

DO $$
DECLARE
    watched TEXT;
BEGIN
    FOREACH watched IN ARRAY ARRAY['services', 'routes', 'plugins', 'certificates', 'snis', 'ca_certificates'] LOOP
        EXECUTE format('CREATE TRIGGER configuration_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION move_configuration_version()', watched);
        EXECUTE format('CREATE TRIGGER configuration_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION move_configuration_version()', watched);
        EXECUTE format('CREATE TRIGGER configuration_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION move_configuration_version()', watched);
        EXECUTE format('CREATE TRIGGER configuration_truncate AFTER TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION move_configuration_version()', watched);
    END LOOP;
END
$$;
