-- The end of the archive of each tenant: the entries below `end_ix` are archived. It moves by compare-and-swap, with the rows of the manifest.
CREATE TABLE archive_head (
  tenant uuid   PRIMARY KEY,
  end_ix bigint NOT NULL DEFAULT 0
);

-- The manifest: one row for each file of a segment. A range without rows of a table has no file. Times are those of the uses, epoch seconds.
CREATE TABLE archive_file (
  tenant   uuid   NOT NULL,
  name     text   NOT NULL CHECK (name IN ('uses', 'late', 'token', 'entity', 'route', 'address')),
  first_ix bigint NOT NULL,
  end_ix   bigint NOT NULL,
  day      date   NOT NULL,
  row_n    bigint NOT NULL,
  bytes    bigint NOT NULL,
  sha256   bytea  NOT NULL CHECK (length(sha256) = 32),
  first_at bigint,
  last_at  bigint,
  PRIMARY KEY (tenant, name, first_ix)
);

-- The directory that holds the archive, by the id in its place.json. Another directory is not written to.
CREATE TABLE archive_place (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  id       uuid    NOT NULL
);
