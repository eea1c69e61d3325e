-- entry and payload by range of the index, dedupe by hash of its key: no index of theirs grows with the ledger for ever, and old
-- ranges are vacuumed once. The keeper (ranges.pg.ts) makes ranges ahead; what is there becomes the first range as it stands.
CREATE TABLE ledger_partitions (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  up_to    bigint  NOT NULL
);
INSERT INTO ledger_partitions (up_to)
SELECT (coalesce(max(ix), 0) / 4194304 + 1) * 4194304 FROM entry;

ALTER TABLE entry RENAME TO entry_0;
ALTER TABLE entry_0 RENAME CONSTRAINT entry_pkey TO entry_0_pkey;
CREATE TABLE entry (LIKE entry_0 INCLUDING ALL) PARTITION BY RANGE (ix);

ALTER TABLE payload RENAME TO payload_0;
ALTER TABLE payload_0 RENAME CONSTRAINT payload_pkey TO payload_0_pkey;
CREATE TABLE payload (LIKE payload_0 INCLUDING ALL) PARTITION BY RANGE (ix);

DO $$
DECLARE
  up_to bigint := (SELECT p.up_to FROM ledger_partitions p);
BEGIN
  EXECUTE format('ALTER TABLE entry ATTACH PARTITION entry_0 FOR VALUES FROM (0) TO (%s)', up_to);
  EXECUTE format('ALTER TABLE payload ATTACH PARTITION payload_0 FOR VALUES FROM (0) TO (%s)', up_to);
END $$;

ALTER TABLE dedupe RENAME TO dedupe_whole;
ALTER TABLE dedupe_whole RENAME CONSTRAINT dedupe_pkey TO dedupe_whole_pkey;
CREATE TABLE dedupe (LIKE dedupe_whole INCLUDING ALL) PARTITION BY HASH (key);
DO $$
BEGIN
  FOR remainder IN 0..15 LOOP
    EXECUTE format('CREATE TABLE dedupe_%s PARTITION OF dedupe FOR VALUES WITH (MODULUS 16, REMAINDER %s)', remainder, remainder);
  END LOOP;
END $$;
INSERT INTO dedupe SELECT * FROM dedupe_whole;
DROP TABLE dedupe_whole;
