-- What a session was given and does not know of: handed out again before anything new, under the same epoch. One row without a run when
-- there is nothing; no row when the session is closed or of another tenant.
-- $1 session $2 tenant $3 runs it says it holds
SELECT s.pool_id, r.run_id, r.revision_id, r.epoch, r.next_seq, r.inbox_seq, r.priority, r.trigger_kind, v.digest, w.name AS workflow
FROM fp.runner_session s
LEFT JOIN LATERAL (
  SELECT * FROM fp.run_live r WHERE r.session_id = s.session_id AND r.state = 'leased' AND NOT (r.run_id = ANY ($3)) LIMIT 64) r ON true
LEFT JOIN LATERAL (SELECT v.digest FROM fp.workflow_revision v WHERE v.tenant_id = s.tenant_id AND v.revision_id = r.revision_id LIMIT 1) v ON true
LEFT JOIN LATERAL (SELECT w.name FROM fp.workflow w WHERE w.tenant_id = s.tenant_id AND w.workflow_id = r.workflow_id LIMIT 1) w ON true
WHERE s.session_id = $1 AND s.tenant_id = $2 AND s.closed_at IS NULL
