-- The clock of the sessions whose search_path begins with this schema: what stands in the one row, or the server's own. Nothing
-- else sees it, and it goes when seeding ends.
CREATE SCHEMA seed;
CREATE TABLE seed.clock (now timestamptz NOT NULL);
CREATE FUNCTION seed.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
  RETURN coalesce((SELECT now FROM seed.clock), pg_catalog.clock_timestamp());
