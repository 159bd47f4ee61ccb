-- Runs of a pool for its waiting runners: by priority, then by age. The marks keep the scan away from index entries of runs claimed long
-- ago that vacuum may not remove yet: the newest ready_at claimed per priority, less a second; now and then minus infinity, which picks
-- up stragglers. A plain ORDER BY ... LIMIT would collapse under one long transaction anywhere in the server.
-- $1 pool $2 tenant $3 priorities $4 marks (microseconds since 1970, null for none) $5 sessions $6 free slots of each
WITH slot AS MATERIALIZED (
  SELECT s.session_id, row_number() OVER () AS ord FROM unnest($5::uuid[], $6::int[]) AS s(session_id, free), generate_series(1, s.free)
), pick AS MATERIALIZED (
  SELECT p.tenant_id, p.run_id, row_number() OVER () AS ord FROM (
    SELECT q.* FROM unnest($3::smallint[], $4::bigint[]) AS l(priority, mark) CROSS JOIN LATERAL (
      SELECT q.tenant_id, q.run_id FROM fp.run_live q
      WHERE q.pool_id = $1 AND q.tenant_id = $2 AND q.state = 'ready' AND q.priority = l.priority
        AND q.ready_at >= coalesce(timestamptz 'epoch' + l.mark * interval '1 microsecond', '-infinity')
      ORDER BY q.ready_at LIMIT (SELECT count(*) FROM slot) FOR NO KEY UPDATE SKIP LOCKED) q
    LIMIT (SELECT count(*) FROM slot)) p
), leased AS (
  UPDATE fp.run_live r SET state = 'leased', epoch = r.epoch + 1, session_id = s.session_id, started_at = coalesce(r.started_at, now())
  FROM pick p JOIN slot s USING (ord) WHERE r.tenant_id = p.tenant_id AND r.run_id = p.run_id
  RETURNING r.tenant_id, r.run_id, r.workflow_id, r.revision_id, r.epoch, r.next_seq, r.inbox_seq, r.session_id, r.priority, r.ready_at, r.trigger_kind
), mirror AS (                         -- a WorkflowRun is told once that its run has begun
  INSERT INTO fp.run_mirror (tenant_id, run_id, finished, changed_at)
  SELECT tenant_id, run_id, false, now() FROM leased WHERE trigger_kind = 5 AND epoch = 1 ON CONFLICT DO NOTHING
)
SELECT l.tenant_id, l.run_id, l.revision_id, l.epoch, l.next_seq, l.inbox_seq, l.session_id, l.priority, l.trigger_kind,
       (extract(epoch FROM l.ready_at) * 1000000)::bigint AS ready_micros, v.digest, w.name AS workflow
FROM leased l
CROSS JOIN LATERAL (SELECT v.digest FROM fp.workflow_revision v WHERE v.tenant_id = l.tenant_id AND v.revision_id = l.revision_id LIMIT 1) v
CROSS JOIN LATERAL (SELECT w.name FROM fp.workflow w WHERE w.tenant_id = l.tenant_id AND w.workflow_id = l.workflow_id LIMIT 1) w
