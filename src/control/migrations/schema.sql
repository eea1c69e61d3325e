CREATE TABLE control_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seq      bigint  NOT NULL
);
INSERT INTO control_head (seq) VALUES (0);

CREATE TABLE control_log (
  seq     bigint      PRIMARY KEY,
  tenant  uuid        NOT NULL,
  kind    text        NOT NULL,
  subject text        NOT NULL,
  version int         NOT NULL,
  at      timestamptz NOT NULL,
  body    jsonb       NOT NULL
);
CREATE INDEX control_log_kind ON control_log (tenant, kind, seq);
CREATE INDEX control_log_subject ON control_log (subject, seq);

-- Times of the first and the last erasure that took a name out of records whose published copies still hold it. No row: there are no such copies.
CREATE TABLE control_names_erased (
  only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  first_at timestamptz NOT NULL,
  last_at  timestamptz NOT NULL
);

-- Keys of commands that must apply once: an event that became a rule (kept for ever), an idempotency key (kept 48 h).
CREATE TABLE control_command (
  key        bytea       PRIMARY KEY,
  hash       bytea       NOT NULL,
  first_seq  bigint      NOT NULL,
  last_seq   bigint      NOT NULL,
  kept_until timestamptz
);
-- Tells whoever copies the log which commands began with a record.
CREATE INDEX control_command_first_seq ON control_command (first_seq);
CREATE INDEX control_command_kept_until ON control_command (kept_until) WHERE kept_until IS NOT NULL;

-- One row for each process that answers from memory (lease-protocol.md). Updated in place several times a second.
CREATE TABLE node (
  id        uuid        PRIMARY KEY,
  -- Host and process id, for people.
  name      text        NOT NULL,
  -- L of this node, milliseconds: other processes delete the row if its counter has not moved for L.
  lease_ms  int         NOT NULL,
  counter   bigint      NOT NULL DEFAULT 0,
  -- The seq up to which this node and its guards have applied the log.
  confirmed bigint      NOT NULL DEFAULT 0,
  guards    int         NOT NULL DEFAULT 0,
  joined_at timestamptz NOT NULL DEFAULT now(),
  -- The same a tenant: `applied` for all but the tenants in `behind` (tenant to seq).
  applied   bigint      NOT NULL DEFAULT 0,
  behind    jsonb       NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

-- The state that the log folds to, up to a seq, so that a start need not read the whole log. See snapshot.pg.ts.
CREATE TABLE control_snapshot (
  seq       bigint      PRIMARY KEY,
  -- Time of the record at that seq, in whole milliseconds.
  at        timestamptz NOT NULL,
  dumped_as text        NOT NULL,
  parts     int         NOT NULL
);
CREATE TABLE control_snapshot_part (
  seq    bigint NOT NULL REFERENCES control_snapshot ON DELETE CASCADE,
  part   int    NOT NULL,
  kind   text   NOT NULL,
  tenant uuid,
  -- Keys are digests: compression would cost time and save no room.
  bytes  bytea  STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (seq, part)
);

-- Confirmations of a record by node, as the process that waited received them. For reports; no part of the lease protocol.
CREATE TABLE rule_confirmation (
  seq     bigint NOT NULL,
  node    uuid   NOT NULL,
  name    text,
  outcome text   NOT NULL CHECK (outcome IN ('confirmed', 'expired')),
  guards  int    NOT NULL,
  at_ms   bigint NOT NULL,
  PRIMARY KEY (seq, node)
);

-- Appends commands in one short statement. Commit order is seq order because the head's row stays locked until commit.
-- commands: [{key, hash: hex or null, keep_seconds: int or null, records: [{tenant, kind, subject, version, body}]}]
-- If a command's key is known, nothing is appended and the answer has the seqs of the first command.
CREATE FUNCTION control_append(commands jsonb)
RETURNS TABLE (ordinal int, first_seq bigint, last_seq bigint, replayed boolean, same boolean)
LANGUAGE plpgsql AS $$
DECLARE
  head    bigint;
  command jsonb;
  entry   jsonb;
  known   control_command%ROWTYPE;
BEGIN
  -- Set here because the server's default may differ: an answered order must outlive a crash.
  PERFORM set_config('synchronous_commit', 'on', true);
  SELECT h.seq INTO head FROM control_head h FOR UPDATE;
  -- Deletes at least as many expired keys as this call can add, so that they do not pile up.
  DELETE FROM control_command c WHERE c.key IN (
    SELECT e.key FROM control_command e WHERE e.kept_until < clock_timestamp() LIMIT 2 * jsonb_array_length(commands)
  );
  ordinal := -1;
  FOR command IN SELECT * FROM jsonb_array_elements(commands) LOOP
    ordinal := ordinal + 1;
    IF command->>'key' IS NOT NULL THEN
      DELETE FROM control_command c WHERE c.key = decode(command->>'key', 'hex') AND c.kept_until < clock_timestamp();
      SELECT * INTO known FROM control_command c WHERE c.key = decode(command->>'key', 'hex');
      IF FOUND THEN
        first_seq := known.first_seq; last_seq := known.last_seq;
        replayed := true; same := known.hash = decode(command->>'hash', 'hex');
        RETURN NEXT;
        CONTINUE;
      END IF;
    END IF;
    first_seq := head + 1;
    FOR entry IN SELECT * FROM jsonb_array_elements(command->'records') LOOP
      head := head + 1;
      INSERT INTO control_log (seq, tenant, kind, subject, version, at, body)
      VALUES (head, (entry->>'tenant')::uuid, entry->>'kind', entry->>'subject', (entry->>'version')::int, clock_timestamp(), entry->'body');
    END LOOP;
    last_seq := head; replayed := false; same := true;
    IF command->>'key' IS NOT NULL THEN
      INSERT INTO control_command (key, hash, first_seq, last_seq, kept_until)
      VALUES (decode(command->>'key', 'hex'), decode(command->>'hash', 'hex'), first_seq, last_seq,
              clock_timestamp() + make_interval(secs => (command->>'keep_seconds')::double precision));
    END IF;
    RETURN NEXT;
  END LOOP;
  UPDATE control_head SET seq = head;
  PERFORM pg_notify('rescind_control', head::text);
END
$$;
