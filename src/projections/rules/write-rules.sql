INSERT INTO rule_version (tenant, rule, from_ix, arrival_ms, seq, ordered_ms, effect, selector, keys, lead, before_at, until_at, resume, reauthenticate,
                          reason, author, cause, after_lift_of, nth)
SELECT tenant, said ->> 'rule', from_ix, arrival_ms, (said ->> 'seq')::bigint, ordered_ms, said ->> 'effect', said -> 'selector', keys::bytea[],
       coalesce((keys::bytea[])[1], ''::bytea), (said ->> 'before')::bigint, (said ->> 'until')::bigint, coalesce((said ->> 'resume')::boolean, false),
       (said ->> 'reauthenticate')::boolean, said ->> 'reason', said -> 'author', said -> 'cause', said ->> 'after_lift_of', nth
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::jsonb[], $6::text[], $7::smallint[]) AS w (tenant, from_ix, arrival_ms, ordered_ms, said, keys, nth)
ON CONFLICT DO NOTHING
