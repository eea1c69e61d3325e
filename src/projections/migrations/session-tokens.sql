-- Tokens by the session that they state: their ID-JAG's, of which the IdP may never tell, or one of the issuer's own.
CREATE INDEX token_id_jag_sid ON token (tenant, (facts #>> '{id_jag,sid}'), ix) WHERE facts #>> '{id_jag,sid}' IS NOT NULL;
CREATE INDEX token_sid ON token (tenant, (facts ->> 'sid'), ix) WHERE facts ->> 'sid' IS NOT NULL;
