-- Several nodes: who listens to which history of the bus, and which version the configuration has.

-- The latest epoch that any node was allowed to enter; the one row. Closed, it lets nobody in again.
CREATE TABLE cluster_epoch (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch TEXT,
    generation INTEGER NOT NULL,
    is_open INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO cluster_epoch (id, epoch, generation, is_open) VALUES (1, NULL, -1, 0);

-- Nodes that may hold something in memory. No times: who reads twice and finds the same beat has seen no sign of life.
CREATE TABLE cluster_roster (
    node BLOB NOT NULL PRIMARY KEY,
    epoch TEXT,
    turn INTEGER NOT NULL,
    beat INTEGER NOT NULL
) STRICT;

-- Counts the committed changes of what the data plane is compiled from; the one row.
CREATE TABLE configuration_version (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO configuration_version (id, version) VALUES (1, 1);

CREATE TRIGGER services_configuration_insert AFTER INSERT ON services
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER services_configuration_update AFTER UPDATE ON services
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER services_configuration_delete AFTER DELETE ON services
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER routes_configuration_insert AFTER INSERT ON routes
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER routes_configuration_update AFTER UPDATE ON routes
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER routes_configuration_delete AFTER DELETE ON routes
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER plugins_configuration_insert AFTER INSERT ON plugins
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER plugins_configuration_update AFTER UPDATE ON plugins
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER plugins_configuration_delete AFTER DELETE ON plugins
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER certificates_configuration_insert AFTER INSERT ON certificates
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER certificates_configuration_update AFTER UPDATE ON certificates
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER certificates_configuration_delete AFTER DELETE ON certificates
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER snis_configuration_insert AFTER INSERT ON snis
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER snis_configuration_update AFTER UPDATE ON snis
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER snis_configuration_delete AFTER DELETE ON snis
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER ca_certificates_configuration_insert AFTER INSERT ON ca_certificates
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER ca_certificates_configuration_update AFTER UPDATE ON ca_certificates
    BEGIN UPDATE configuration_version SET version = version + 1; END;
CREATE TRIGGER ca_certificates_configuration_delete AFTER DELETE ON ca_certificates
    BEGIN UPDATE configuration_version SET version = version + 1; END;
