-- Parked runs whose timer is due. $1 limit
WITH due AS MATERIALIZED (
  SELECT tenant_id, run_id FROM fp.run_live WHERE state = 'parked' AND wake_at <= now() ORDER BY wake_at LIMIT $1::int FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE fp.run_live r SET state = 'ready', ready_at = now(), wake_at = NULL
FROM due d WHERE r.tenant_id = d.tenant_id AND r.run_id = d.run_id AND r.state = 'parked'
RETURNING r.tenant_id, r.run_id, r.next_seq, r.pool_id
