-- Runs leased to a session that does not know of them (the answer of its lease was lost, and it asks for no more): queued again.
-- $1 session $2 tenant $3 runs
WITH held AS MATERIALIZED (
  SELECT r.tenant_id, r.run_id FROM fp.run_live r WHERE r.session_id = $1 AND r.state = 'leased' AND r.tenant_id = $2 AND r.run_id = ANY ($3)
  ORDER BY r.run_id FOR NO KEY UPDATE OF r SKIP LOCKED
)
UPDATE fp.run_live r SET state = 'ready', epoch = r.epoch + 1, session_id = NULL, ready_at = now()
FROM held h WHERE r.tenant_id = h.tenant_id AND r.run_id = h.run_id AND r.state = 'leased' AND r.session_id = $1
RETURNING r.pool_id
