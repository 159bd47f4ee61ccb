-- A runner registers. Its pool is made if no workflow has asked for it yet.
-- $1 session $2 tenant $3 class $4 runner $5 capacity $6 time to live in milliseconds
WITH made AS (
  INSERT INTO fp.pool (tenant_id, class) SELECT $2::uuid, $3::text
  WHERE NOT EXISTS (SELECT FROM fp.pool WHERE tenant_id = $2 AND class = $3)
  ON CONFLICT DO NOTHING RETURNING pool_id
), p AS (
  SELECT pool_id FROM made UNION ALL SELECT pool_id FROM fp.pool WHERE tenant_id = $2 AND class = $3
)
INSERT INTO fp.runner_session (session_id, tenant_id, pool_id, runner, capacity, expires_at)
SELECT $1::uuid, $2::uuid, pool_id, $4::text, $5::int, now() + $6::bigint * interval '1 millisecond' FROM p
RETURNING pool_id, expires_at
