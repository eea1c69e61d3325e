UPDATE rule_version r SET lifted_ix = w.ix, lift = w.said - 'rule'
FROM unnest($1::uuid[], $2::bigint[], $3::jsonb[]) AS w (tenant, ix, said)
WHERE r.tenant = w.tenant AND r.rule = w.said ->> 'rule' AND r.lifted_ix IS NULL
