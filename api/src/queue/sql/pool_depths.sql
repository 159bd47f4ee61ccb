-- What waits and works in each pool: bounded counts, by index. $1 pools (null: all)
SELECT p.pool_id, p.tenant_id, t.name AS tenant, p.class, ready.n AS ready,
       coalesce(extract(epoch FROM now() - oldest.at) * 1000, 0)::bigint AS oldest_millis,
       work.sessions, work.capacity, work.leased
FROM fp.pool p
CROSS JOIN LATERAL (SELECT t.name FROM fp.tenant t WHERE t.tenant_id = p.tenant_id AND t.deleted_at IS NULL LIMIT 1) t
CROSS JOIN LATERAL (
  SELECT count(*)::int AS n FROM (
    SELECT FROM fp.run_live q WHERE q.pool_id = p.pool_id AND q.tenant_id = p.tenant_id AND q.state = 'ready' LIMIT 1000) x) ready
CROSS JOIN LATERAL (
  SELECT min(o.ready_at) AS at FROM generate_series(0, 3) AS l(priority) CROSS JOIN LATERAL (
    SELECT q.ready_at FROM fp.run_live q
    WHERE q.pool_id = p.pool_id AND q.tenant_id = p.tenant_id AND q.state = 'ready' AND q.priority = l.priority
    ORDER BY q.ready_at LIMIT 1) o) oldest
CROSS JOIN LATERAL (
  SELECT count(*)::int AS sessions, coalesce(sum(s.capacity), 0)::int AS capacity,
         coalesce(sum((SELECT count(*) FROM fp.run_live r WHERE r.session_id = s.session_id AND r.state = 'leased')), 0)::int AS leased
  FROM fp.runner_session s WHERE s.pool_id = p.pool_id AND s.closed_at IS NULL) work
WHERE $1::int[] IS NULL OR p.pool_id = ANY ($1::int[])
ORDER BY p.pool_id
