-- Back to one table each.
ALTER TABLE entry RENAME TO entry_parted;
ALTER TABLE payload RENAME TO payload_parted;
ALTER TABLE dedupe RENAME TO dedupe_parted;
ALTER TABLE entry_parted RENAME CONSTRAINT entry_pkey TO entry_parted_pkey;
ALTER TABLE payload_parted RENAME CONSTRAINT payload_pkey TO payload_parted_pkey;
ALTER TABLE dedupe_parted RENAME CONSTRAINT dedupe_pkey TO dedupe_parted_pkey;
CREATE TABLE entry (LIKE entry_parted INCLUDING ALL);
CREATE TABLE payload (LIKE payload_parted INCLUDING ALL);
CREATE TABLE dedupe (LIKE dedupe_parted INCLUDING ALL);
INSERT INTO entry SELECT * FROM entry_parted;
INSERT INTO payload SELECT * FROM payload_parted;
INSERT INTO dedupe SELECT * FROM dedupe_parted;
DROP TABLE entry_parted, payload_parted, dedupe_parted, ledger_partitions;
