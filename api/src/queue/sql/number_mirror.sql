-- Numbers for what the mirror has not told yet. Runs under an advisory lock, so that numbers become visible in their order.
-- $1 limit
WITH new AS MATERIALIZED (
  SELECT tenant_id, run_id FROM fp.run_mirror WHERE pos IS NULL ORDER BY changed_at LIMIT $1::int FOR NO KEY UPDATE
)
UPDATE fp.run_mirror m SET pos = nextval('fp.run_mirror_number') FROM new n
WHERE m.tenant_id = n.tenant_id AND m.run_id = n.run_id AND m.pos IS NULL
