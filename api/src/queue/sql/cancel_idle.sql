-- Two events (the request and the end) and the end of a run that no runner has touched, or that nobody will take again (held). No row: a runner has it, send it a message.
-- $1 tenant $2 run $3 body
WITH gone AS (
  DELETE FROM fp.run_live r WHERE r.tenant_id = $1 AND r.run_id = $2 AND ((r.epoch = 0 AND r.state = 'ready') OR r.state = 'held')
  RETURNING r.*
), journal AS (
  INSERT INTO fp.run_journal (tenant_id, run_id, seq, n, epoch, at, body)
  SELECT tenant_id, run_id, next_seq, 2, epoch, now(), $3::text::json FROM gone
), done AS (
  INSERT INTO fp.run_done (tenant_id, run_id, workflow_id, revision_id, outcome, priority, trigger_kind, trigger_id, actor, epoch, last_seq,
                           crashes, started_at, finished_at)
  SELECT tenant_id, run_id, workflow_id, revision_id, 'cancelled', priority, trigger_kind, trigger_id, actor, epoch, next_seq + 2,
         crashes, started_at, clock_timestamp() FROM gone
), mirror AS (
  INSERT INTO fp.run_mirror (tenant_id, run_id, finished, changed_at)
  SELECT tenant_id, run_id, true, now() FROM gone WHERE trigger_kind = 5
  ON CONFLICT (tenant_id, run_id) DO UPDATE SET finished = true, changed_at = now(), pos = NULL
), acked AS (
  DELETE FROM fp.run_inbox b USING gone g WHERE b.tenant_id = g.tenant_id AND b.run_id = g.run_id
)
SELECT next_seq + 2 AS next_seq, trigger_kind = 5 AS mirrored FROM gone
