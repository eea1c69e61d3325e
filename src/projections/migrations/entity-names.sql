-- Names by their beginning, whatever their case: `sub`, `client_id`, an agent's id, a URI, a route, an address. Scopes are not searched for.
CREATE INDEX entity_name ON entity (tenant, kind, lower(parts ->> -1) text_pattern_ops) WHERE kind <> 9;
