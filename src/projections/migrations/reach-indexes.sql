-- What may still be live of a user, client or agent, however many tokens of it have ended. One without an end is taken for as long as a lineage may be old.
CREATE INDEX token_usr_ends ON token (tenant, usr, (coalesce(exp, iat + 2592000)), ix);
CREATE INDEX token_client_ends ON token (tenant, client, (coalesce(exp, iat + 2592000)), ix);
CREATE INDEX token_agent_ends ON token (tenant, agent, (coalesce(exp, iat + 2592000)), ix) WHERE agent IS NOT NULL;
-- Tokens whose user became known after them: as of a moment in between, nobody had said it.
CREATE INDEX token_late ON token (tenant, bound_ix, ix) WHERE bound_ix > ix;
-- Clients that have to do with a resource, however many grants of it there are.
CREATE INDEX edge_seen_res ON edge_seen (tenant, res, client, first_ix);
