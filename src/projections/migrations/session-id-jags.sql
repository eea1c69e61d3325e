-- ID-JAGs of a session: how long a rule on it is needed.
CREATE INDEX id_jag_session ON id_jag (tenant, session_key) WHERE session_key IS NOT NULL;
