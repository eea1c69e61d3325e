-- The clock of the sessions whose search_path begins with this schema: the time in the one row. No other session sees it, and seeding drops
-- it at its end. The table is unlogged, so setting the clock waits for no disk. After a crash of the server the table is empty, and then
-- nothing is entered.
CREATE SCHEMA seed;
CREATE UNLOGGED TABLE seed.clock (now timestamptz NOT NULL);
CREATE FUNCTION seed.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE at timestamptz;
BEGIN
  SELECT now INTO STRICT at FROM seed.clock;
  RETURN at;
END
$$;
