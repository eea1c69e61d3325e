-- Commits a batch: the tree's size and root, and the tiles that it completed, if the tree is still the one that the batch was computed on.
WITH moved AS (
  UPDATE tree_head
     SET size = $4, root = $5
   WHERE tenant = $1 AND incarnation = $2 AND size = $3
  RETURNING tenant
), completed AS (
  INSERT INTO tree_tile (tenant, level, n, hash)
  SELECT moved.tenant, tile.level, tile.n, tile.hash
    FROM moved, unnest($6::int2[], $7::int8[], $8::bytea[]) AS tile (level, n, hash)
)
SELECT count(*)::int AS moved FROM moved
