-- The clock of the sessions whose search_path begins with this schema: what stands in the one row. Nothing else sees it, and it goes
-- when seeding ends. Unlogged, so that setting it waits for no disk; a server that crashed has none, and then nothing is entered.
CREATE SCHEMA seed;
CREATE UNLOGGED TABLE seed.clock (now timestamptz NOT NULL);
CREATE FUNCTION seed.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE at timestamptz;
BEGIN
  SELECT now INTO STRICT at FROM seed.clock;
  RETURN at;
END
$$;
