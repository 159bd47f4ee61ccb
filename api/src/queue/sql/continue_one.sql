-- Progress of one run that keeps its lease. No row: not plain or not ours, commit_batch says why.
-- $1 tenant $2 run $3 epoch $4 from_seq $5 n $6 body
WITH r AS (
  UPDATE fp.run_live SET next_seq = next_seq + $5::smallint
  WHERE tenant_id = $1 AND run_id = $2 AND epoch = $3 AND state = 'leased' AND next_seq = $4
  RETURNING tenant_id, run_id, epoch, inbox_seq
), journal AS (
  INSERT INTO fp.run_journal (tenant_id, run_id, seq, n, epoch, at, body)
  SELECT tenant_id, run_id, $4, $5::smallint, epoch, now(), $6::text::json FROM r
)
SELECT inbox_seq FROM r
