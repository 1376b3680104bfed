-- Which programs may work on a database that has been migrated further than they know.

-- A migration that programs of schema version N and later can live with, because it only adds, says so in its own file:
-- INSERT INTO schema_readers (version, oldest) VALUES (<its number>, N). Without a row, older programs refuse to start.
CREATE TABLE schema_readers (
    version INTEGER NOT NULL PRIMARY KEY,
    oldest INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
