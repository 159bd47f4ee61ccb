-- One heap-only update renews every lease of a runner. The answer lists what it holds, for comparison with what it says; one row
-- without a run when it holds nothing; no row when the session is closed.
-- $1 session $2 tenant $3 time to live in milliseconds
WITH s AS (
  UPDATE fp.runner_session SET expires_at = now() + $3::bigint * interval '1 millisecond'
  WHERE session_id = $1 AND tenant_id = $2 AND closed_at IS NULL
  RETURNING session_id, expires_at
)
SELECT now() AS at, s.expires_at, r.run_id, r.epoch, r.inbox_seq
FROM s LEFT JOIN LATERAL (
  SELECT r.run_id, r.epoch, r.inbox_seq FROM fp.run_live r WHERE r.session_id = s.session_id AND r.state = 'leased') r ON true
