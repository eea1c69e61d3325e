-- Of a use without a token: what its source was registered for, as keys of resources, so that it is judged when the token comes.
-- foreign_ix: from which index on its token is known to be for others.
ALTER TABLE access ADD COLUMN source_res bytea[], ADD COLUMN foreign_ix bigint;
