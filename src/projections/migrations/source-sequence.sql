-- Which numbers of its sequence a source has used, in runs: dense ones are one run, whatever order they came in.
CREATE TABLE source_sequence (
  tenant   uuid           NOT NULL,
  source   uuid           NOT NULL,
  seen     int8multirange NOT NULL,
  -- Events under a number that another event had used, or that was given up.
  repeated bigint         NOT NULL DEFAULT 0,
  -- Numbers that had not come when there were too many gaps to keep; in `seen` ever since.
  given_up bigint         NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, source)
);

CREATE FUNCTION numbers_in(runs int8multirange) RETURNS bigint IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT coalesce(sum(upper(run) - lower(run)), 0)::bigint FROM unnest(runs) AS run
$$;
