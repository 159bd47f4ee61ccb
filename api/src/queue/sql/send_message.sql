-- A message to a run. The lock on the run orders it against a park, so that no parked run has an unread message. No row: the run has
-- ended, or a message with this dedupe key was delivered before.
-- $1 tenant $2 run $3 kind $4 dedupe $5 body
WITH r AS (
  UPDATE fp.run_live SET inbox_seq = inbox_seq + 1,
    ready_at = CASE WHEN state = 'parked' THEN now() ELSE ready_at END,
    wake_at  = CASE WHEN state = 'parked' THEN NULL ELSE wake_at END,
    state    = CASE WHEN state = 'parked' THEN 'ready'::fp.run_state ELSE state END
  WHERE tenant_id = $1 AND run_id = $2
    AND NOT EXISTS (SELECT FROM fp.run_inbox b WHERE b.tenant_id = $1 AND b.run_id = $2 AND b.dedupe = $4)
  RETURNING tenant_id, run_id, inbox_seq, session_id, pool_id, state
), m AS (
  INSERT INTO fp.run_inbox (tenant_id, run_id, seq, kind, dedupe, body, at)
  SELECT tenant_id, run_id, inbox_seq, $3::text, $4::text, $5::text::json, now() FROM r
)
SELECT session_id, pool_id, state::text AS state FROM r
