-- Routes that a source brought, up to a bound, and its uses of further ones, which are not kept apart: `over`, from index `over_from_ix` on.
CREATE TABLE source_routes (
  tenant       uuid   NOT NULL,
  source       uuid   NOT NULL,
  routes       int    NOT NULL,
  over         bigint NOT NULL,
  over_from_ix bigint,
  PRIMARY KEY (tenant, source)
);
-- Who brought a route that is there already: the source of its first use.
INSERT INTO source_routes (tenant, source, routes, over)
SELECT a.tenant, a.source, count(*)::int, 0
FROM entity e JOIN access a ON a.tenant = e.tenant AND a.ix = e.from_ix
WHERE e.kind = 7
GROUP BY a.tenant, a.source;
