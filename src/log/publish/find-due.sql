-- Ledgers with entries that no published checkpoint covers.
SELECT head.tenant, head.next_ix AS entries
  FROM ledger_head AS head
  LEFT JOIN tree_head AS tree USING (tenant)
  LEFT JOIN ledger_checkpoint AS published
    ON published.tenant = head.tenant AND published.incarnation = tree.incarnation
 WHERE head.next_ix > coalesce(published.size, 0)
 ORDER BY head.tenant
