-- Tokens and ID-JAGs that events contradict each other about, and whose block is not ordered yet. `named`: how a selector names it.
CREATE TABLE contradiction_owed (
  tenant uuid   NOT NULL,
  kind   text   NOT NULL CHECK (kind IN ('token', 'id_jag')),
  key    bytea  NOT NULL,
  ix     bigint NOT NULL,
  named  jsonb  NOT NULL,
  PRIMARY KEY (tenant, kind, key)
);
-- A crash may have left any of them without its block. Those that have one are not ordered again: each command applies once.
INSERT INTO contradiction_owed (tenant, kind, key, ix, named)
SELECT tenant, 'token', key, conflict_ix,
       CASE WHEN facts ? 'jti' THEN jsonb_build_object('iss', facts -> 'iss', 'jti', facts -> 'jti')
            WHEN facts ? 'sha256' THEN jsonb_build_object('sha256', facts -> 'sha256')
            ELSE jsonb_build_object('signing_input_sha256', facts -> 'signing_input_sha256') END
FROM token WHERE conflict_ix IS NOT NULL
UNION ALL
SELECT tenant, 'id_jag', key, conflict_ix, jsonb_build_object('iss', facts -> 'iss', 'jti', facts -> 'jti')
FROM id_jag WHERE conflict_ix IS NOT NULL;
