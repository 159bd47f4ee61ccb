-- Up to 64 new runs of any tenants, in one commit. A run with a session is stored already leased, because a runner of its pool waits;
-- the others are queued. Answer per run: leased, ready or duplicate. For a duplicate, existing is null when the first start committed
-- in the same instant: read start_dedupe once more.
-- $1 tenant $2 run $3 workflow $4 revision $5 pool $6 priority $7 session $8 trigger kind $9 trigger id $10 actor $11 body $12 scope
-- $13 key $14 hash
WITH item AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::int[], $6::smallint[], $7::uuid[], $8::smallint[],
                       $9::text[], $10::text[], $11::text[], $12::smallint[], $13::uuid[], $14::bytea[]) WITH ORDINALITY
    AS i(tenant_id, run_id, workflow_id, revision_id, pool_id, priority, session_id, trigger_kind, trigger_id, actor, body, scope, key, hash, ord)
), fresh AS (                          -- the first keeps the key; sorted, so that two batches never wait for each other in a circle
  INSERT INTO fp.start_dedupe (tenant_id, scope, key, run_id, body_hash, expires_at)
  SELECT tenant_id, scope, key, run_id, hash, now() + interval '24 hours' FROM item WHERE key IS NOT NULL ORDER BY tenant_id, scope, key, ord
  ON CONFLICT DO NOTHING
  RETURNING tenant_id, run_id
), new AS MATERIALIZED (
  SELECT i.* FROM item i WHERE i.key IS NULL OR EXISTS (SELECT FROM fresh f WHERE f.tenant_id = i.tenant_id AND f.run_id = i.run_id)
), live AS (
  INSERT INTO fp.run_live (tenant_id, run_id, workflow_id, revision_id, pool_id, priority, trigger_kind, trigger_id, actor, next_seq,
                           state, epoch, session_id, started_at, ready_at)
  SELECT tenant_id, run_id, workflow_id, revision_id, pool_id, priority, trigger_kind, trigger_id, actor, 1,
         CASE WHEN session_id IS NULL THEN 'ready'::fp.run_state ELSE 'leased'::fp.run_state END,
         CASE WHEN session_id IS NULL THEN 0 ELSE 1 END, session_id, CASE WHEN session_id IS NOT NULL THEN now() END, now()
  FROM new
), journal AS (                        -- event 0 carries the inputs
  INSERT INTO fp.run_journal (tenant_id, run_id, seq, n, epoch, at, body)
  SELECT tenant_id, run_id, 0, 1, 0, now(), body::json FROM new
)
SELECT i.ord::int AS ord,
       CASE WHEN n.ord IS NULL THEN 'duplicate' WHEN n.session_id IS NULL THEN 'ready' ELSE 'leased' END AS result,
       d.run_id AS existing, d.body_hash AS existing_hash, now() AS at
FROM item i
LEFT JOIN new n USING (ord)
LEFT JOIN LATERAL (SELECT s.run_id, s.body_hash FROM fp.start_dedupe s
                   WHERE n.ord IS NULL AND s.tenant_id = i.tenant_id AND s.scope = i.scope AND s.key = i.key LIMIT 1) d ON true
ORDER BY i.ord
