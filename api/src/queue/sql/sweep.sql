-- Runs of closed sessions go back into the queue under a new epoch; after too many lost runners they wait for a person.
-- $1 crashes at which a run is held
WITH lost AS MATERIALIZED (
  SELECT r.tenant_id, r.run_id FROM fp.runner_session s JOIN fp.run_live r ON r.session_id = s.session_id AND r.state = 'leased'
  WHERE s.closed_at IS NOT NULL ORDER BY r.tenant_id, r.run_id LIMIT 500 FOR NO KEY UPDATE OF r SKIP LOCKED
)
UPDATE fp.run_live r SET
  state = CASE WHEN r.crashes + 1 >= $1::int THEN 'held'::fp.run_state ELSE 'ready'::fp.run_state END,
  epoch = r.epoch + 1, crashes = r.crashes + 1, session_id = NULL, ready_at = now()
FROM lost l WHERE r.tenant_id = l.tenant_id AND r.run_id = l.run_id
RETURNING r.tenant_id, r.run_id, r.next_seq, r.pool_id, r.state::text AS state
