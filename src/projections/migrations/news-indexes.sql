-- What sources were heard to say in the blocks since one: a row a kind and block, and what is updated of it is not in the index.
CREATE INDEX source_count_blk ON source_count (tenant, blk);
-- Grants that are new since an index, whoever's they are.
CREATE INDEX edge_grant_from ON edge_grant (tenant, from_ix) INCLUDE (client, res);
