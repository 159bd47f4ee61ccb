-- One new run: start_batch without the cost of setting up a large statement. No row: its key is taken, ask find_start.
-- $1 tenant $2 run $3 workflow $4 revision $5 pool $6 priority $7 session $8 trigger kind $9 trigger id $10 actor $11 body $12 scope
-- $13 key $14 hash
WITH fresh AS (
  INSERT INTO fp.start_dedupe (tenant_id, scope, key, run_id, body_hash, expires_at)
  SELECT $1::uuid, $12::smallint, $13::uuid, $2::uuid, $14::bytea, now() + interval '24 hours' WHERE $13::uuid IS NOT NULL
  ON CONFLICT DO NOTHING
  RETURNING run_id
), live AS (
  INSERT INTO fp.run_live (tenant_id, run_id, workflow_id, revision_id, pool_id, priority, trigger_kind, trigger_id, actor, next_seq,
                           state, epoch, session_id, started_at, ready_at)
  SELECT $1::uuid, $2::uuid, $3::uuid, $4::bigint, $5::int, $6::smallint, $8::smallint, $9::text, $10::text, 1,
         CASE WHEN $7::uuid IS NULL THEN 'ready'::fp.run_state ELSE 'leased'::fp.run_state END,
         CASE WHEN $7::uuid IS NULL THEN 0 ELSE 1 END, $7::uuid, CASE WHEN $7::uuid IS NOT NULL THEN now() END, now()
  WHERE $13::uuid IS NULL OR EXISTS (SELECT FROM fresh)
  RETURNING tenant_id, run_id
), journal AS (
  INSERT INTO fp.run_journal (tenant_id, run_id, seq, n, epoch, at, body)
  SELECT tenant_id, run_id, 0, 1, 0, now(), $11::text::json FROM live
)
SELECT now() AS at FROM live
