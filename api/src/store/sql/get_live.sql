-- One living run. $1 tenant $2 run
SELECT r.run_id, r.workflow_id, w.name AS workflow, v.digest AS revision, r.state::text AS state, r.priority, r.trigger_kind, r.trigger_id,
       r.actor, r.epoch, r.next_seq, r.crashes, r.started_at, NULL::timestamptz AS finished_at, r.wake_at,
       NULL::text AS error_code, NULL::text AS error_step, NULL::text AS error_message
FROM fp.run_live r
JOIN fp.workflow w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
JOIN fp.workflow_revision v ON v.tenant_id = r.tenant_id AND v.revision_id = r.revision_id
WHERE r.tenant_id = $1 AND r.run_id = $2
