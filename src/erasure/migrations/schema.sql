-- Erasures of persons. `person`: the rule key of the name that was asked for. `names`: what is looked for, while the erasure runs; null once it is done.
-- `below`: the index of the ledger below which it erases. `step` and `next_ix` say where it goes on. `entry`: the index of its entry in the ledger.
CREATE TABLE erasure (
  tenant   uuid   NOT NULL,
  id       uuid   NOT NULL,
  person   bytea  NOT NULL CHECK (length(person) = 16),
  names    jsonb,
  below    bigint NOT NULL,
  step     text   NOT NULL CHECK (step IN ('entries', 'tables', 'archive', 'tell', 'done')),
  next_ix  bigint NOT NULL DEFAULT 0,
  erased   bigint NOT NULL DEFAULT 0,
  kept     bigint NOT NULL DEFAULT 0,
  reason   text   NOT NULL,
  author   jsonb  NOT NULL,
  asked_ms bigint NOT NULL,
  done_ms  bigint,
  entry    bigint,
  CHECK ((names IS NULL) = (step = 'done')),
  PRIMARY KEY (tenant, id)
);
-- A person is erased by one erasure at a time.
CREATE UNIQUE INDEX erasure_running ON erasure (tenant, person) WHERE step <> 'done';

-- Whether a text contains one of several texts.
CREATE FUNCTION contains_any(value text, texts text[]) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM unnest(texts) AS t (one) WHERE strpos(value, t.one) > 0)
$$;

-- The claims of a JWS in compact serialization; null for anything else.
CREATE FUNCTION jws_claims(jws bytea) RETURNS bytea IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE WHEN part ~ '^[A-Za-z0-9_-]+$' AND length(part) % 4 <> 1
         THEN decode(rpad(translate(part, '-_', '+/'), (length(part) + 3) / 4 * 4, '='), 'base64') END
  FROM (SELECT split_part(encode(jws, 'escape'), '.', 2)) AS claims (part)
$$;
