-- A runner says goodbye: what it holds goes back into the queue at once, without counting a crash.
-- $1 session $2 tenant
WITH s AS (
  UPDATE fp.runner_session SET closed_at = now() WHERE session_id = $1 AND tenant_id = $2 AND closed_at IS NULL RETURNING session_id
), held AS MATERIALIZED (
  SELECT r.tenant_id, r.run_id FROM s JOIN fp.run_live r ON r.session_id = s.session_id AND r.state = 'leased'
  ORDER BY r.tenant_id, r.run_id FOR NO KEY UPDATE OF r
)
UPDATE fp.run_live r SET state = 'ready', epoch = r.epoch + 1, session_id = NULL, ready_at = now()
FROM held h WHERE r.tenant_id = h.tenant_id AND r.run_id = h.run_id AND r.state = 'leased' AND r.session_id = $1
RETURNING r.pool_id
