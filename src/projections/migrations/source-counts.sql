-- What a source was heard to say, by block (ix >> 16) and day of arrival (arrival / 86,400 s). `what` is a type of event, or of its tokens
-- `token` (each once), `token.stated` (names an ID-JAG), `token.arrived` (which has come, counted where the later of both did) and
-- `token.parent` (names a parent token alone). delay = arrival - time, milliseconds, of events: below zero the source's clock is ahead.
-- `n` counts in the block and day, `total` from the first on: neither runs backwards, so that the last row below a block says all.
-- A block below the head's never changes again.
CREATE TABLE source_count (
  tenant uuid NOT NULL, source uuid NOT NULL, what text NOT NULL, day int NOT NULL, blk int NOT NULL,
  n bigint NOT NULL, total bigint NOT NULL, last_ix bigint NOT NULL, last_arrival bigint NOT NULL, last_delay bigint,
  delay_least bigint, delay_most bigint, delay_sum bigint, ahead bigint NOT NULL, prompt bigint NOT NULL,
  PRIMARY KEY (tenant, source, what, day, blk)
-- Rows of the open block are written again with every batch: room for that on their page.
) WITH (fillfactor = 50);

-- The same event by event, a row a batch, for a moment within a block and for the last events of a source: `ixs` within the block.
CREATE TABLE source_event (
  tenant uuid NOT NULL, source uuid NOT NULL, last_ix bigint NOT NULL, what text NOT NULL,
  arrival bigint NOT NULL, ixs int[] NOT NULL, delays bigint[] NOT NULL,
  delay_least bigint, delay_most bigint, delay_sum bigint, ahead bigint NOT NULL, prompt bigint NOT NULL,
  PRIMARY KEY (tenant, source, last_ix, what)
);
