-- The journals of runs that are being handed out, each up to a number of bytes; the runner pages through the rest.
-- $1 tenants $2 runs $3 bytes per run
SELECT i.run_id, j.seq, j.n, j.epoch, j.at, j.body
FROM (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS i(tenant_id, run_id)) i
CROSS JOIN LATERAL (
  SELECT x.* FROM (
    SELECT y.*, sum(length(y.body)) OVER (ORDER BY y.seq) - length(y.body) AS before FROM (
      SELECT j.seq, j.n, j.epoch, j.at, j.body::text AS body FROM fp.run_journal j
      WHERE j.run_id = i.run_id AND j.tenant_id = i.tenant_id ORDER BY j.seq LIMIT 1000) y) x
  WHERE x.before < $3::bigint) j
ORDER BY i.run_id, j.seq
