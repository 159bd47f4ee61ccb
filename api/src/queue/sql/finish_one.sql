-- The end of one run that never had a message. No row: not plain or not ours, commit_batch says why.
-- $1 tenant $2 run $3 epoch $4 from_seq $5 n $6 body $7 outcome $8 error code $9 error step $10 error message
WITH gone AS (
  DELETE FROM fp.run_live r
  WHERE r.tenant_id = $1 AND r.run_id = $2 AND r.epoch = $3 AND r.state = 'leased' AND r.next_seq = $4 AND r.inbox_seq = 0 AND r.trigger_kind <> 5
  RETURNING r.*
), journal AS (
  INSERT INTO fp.run_journal (tenant_id, run_id, seq, n, epoch, at, body)
  SELECT tenant_id, run_id, next_seq, $5::smallint, epoch, now(), $6::text::json FROM gone
), done AS (
  INSERT INTO fp.run_done (tenant_id, run_id, workflow_id, revision_id, outcome, priority, trigger_kind, trigger_id, actor, epoch, last_seq,
                           crashes, error_code, error_step, error_message, started_at, finished_at)
  SELECT tenant_id, run_id, workflow_id, revision_id, $7::text::fp.run_outcome, priority, trigger_kind, trigger_id, actor, epoch,
         next_seq + $5::smallint, crashes, $8::text, $9::text, $10::text, started_at, clock_timestamp() FROM gone
  RETURNING finished_at
)
SELECT finished_at FROM done
