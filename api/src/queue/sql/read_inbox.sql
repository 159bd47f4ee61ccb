-- Messages that runs have not acknowledged. $1 tenants $2 runs
SELECT i.run_id, b.seq, b.kind, b.body, b.at
FROM (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS i(tenant_id, run_id)) i
CROSS JOIN LATERAL (
  SELECT b.seq, b.kind, b.body::text AS body, b.at FROM fp.run_inbox b
  WHERE b.tenant_id = i.tenant_id AND b.run_id = i.run_id ORDER BY b.seq LIMIT 100) b
