-- The group commit: up to 64 runs of any tenants and runners in one statement, one round trip, one fsync.
--   action: continue (keeps the lease) | park (waits; wake = earliest timer) | yield (back into the queue) | finish (outcome is set)
--   result: ok | dup (stored before under this epoch: the answer to it was lost) | gap (from_seq is not the stored one; nothing was
--           stored) | fenced (somebody else holds it) | absent (no live row: ask done_check whether our own finish was stored)
-- The row is locked first and judged afterwards, so that after a wait the newest version is judged. Locks are taken in the order
-- (tenant, run) everywhere; whatever a later table adds is locked after the runs, sorted by its own key. The LIMIT 1 probes keep the
-- plan on the primary key whatever the statistics say.
-- $1 tenant $2 run $3 epoch $4 from_seq $5 n $6 action $7 outcome $8 wake $9 inbox seen $10 body $11 error code $12 error step
-- $13 error message
WITH item AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::smallint[], $6::text[], $7::text[], $8::timestamptz[], $9::int[],
                       $10::text[], $11::text[], $12::text[], $13::text[]) WITH ORDINALITY
    AS i(tenant_id, run_id, epoch, from_seq, n, action, outcome, wake_at, inbox_seen, body, error_code, error_step, error_message, ord)
), held AS MATERIALIZED (
  SELECT r.*, i.ord FROM (SELECT ord, tenant_id, run_id FROM item ORDER BY tenant_id, run_id OFFSET 0) i CROSS JOIN LATERAL (
    SELECT r.next_seq, r.epoch, r.state FROM fp.run_live r WHERE r.tenant_id = i.tenant_id AND r.run_id = i.run_id LIMIT 1 FOR NO KEY UPDATE) r
), good AS MATERIALIZED (              -- the fence
  SELECT i.* FROM item i JOIN held h USING (ord) WHERE h.state = 'leased' AND h.epoch = i.epoch AND h.next_seq = i.from_seq
), journal AS (
  INSERT INTO fp.run_journal (tenant_id, run_id, seq, n, epoch, at, body)
  SELECT tenant_id, run_id, from_seq, n, epoch, now(), body::json FROM good WHERE n > 0
), kept AS (                           -- parked only if every message was seen and no timer is due, or a wake-up would be lost
  UPDATE fp.run_live r SET next_seq = g.from_seq + g.n,
    state      = CASE WHEN g.action = 'continue' THEN r.state
                      WHEN g.action = 'park' AND r.inbox_seq = g.inbox_seen AND (g.wake_at IS NULL OR g.wake_at > now()) THEN 'parked'::fp.run_state
                      ELSE 'ready'::fp.run_state END,
    session_id = CASE WHEN g.action = 'continue' THEN r.session_id END,
    ready_at   = CASE WHEN g.action = 'continue' THEN r.ready_at ELSE now() END,
    wake_at    = CASE WHEN g.action = 'park' AND r.inbox_seq = g.inbox_seen AND g.wake_at > now() THEN g.wake_at END
  FROM good g WHERE g.action <> 'finish' AND r.tenant_id = g.tenant_id AND r.run_id = g.run_id
  RETURNING g.ord, r.state, r.inbox_seq, r.pool_id
), gone AS (
  DELETE FROM fp.run_live r USING good g WHERE g.action = 'finish' AND r.tenant_id = g.tenant_id AND r.run_id = g.run_id
  RETURNING r.*, g.outcome, g.from_seq + g.n AS seqs, g.error_code, g.error_step, g.error_message, g.ord
), done AS (
  INSERT INTO fp.run_done (tenant_id, run_id, workflow_id, revision_id, outcome, priority, trigger_kind, trigger_id, actor, epoch, last_seq,
                           crashes, error_code, error_step, error_message, started_at, finished_at)
  SELECT tenant_id, run_id, workflow_id, revision_id, outcome::fp.run_outcome, priority, trigger_kind, trigger_id, actor, epoch, seqs,
         crashes, error_code, error_step, error_message, started_at, clock_timestamp() FROM gone
  RETURNING tenant_id, run_id, finished_at
), mirror AS (
  INSERT INTO fp.run_mirror (tenant_id, run_id, finished, changed_at)
  SELECT tenant_id, run_id, true, now() FROM gone WHERE trigger_kind = 5 ORDER BY tenant_id, run_id
  ON CONFLICT (tenant_id, run_id) DO UPDATE SET finished = true, changed_at = now(), pos = NULL
), acked AS (
  DELETE FROM fp.run_inbox b USING good g
  WHERE (g.inbox_seen > 0 OR g.action = 'finish') AND b.tenant_id = g.tenant_id AND b.run_id = g.run_id
    AND (g.action = 'finish' OR b.seq <= g.inbox_seen)
)
SELECT i.ord::int AS ord,
       CASE WHEN g.ord IS NOT NULL THEN 'ok'
            WHEN h.epoch = i.epoch AND h.next_seq = i.from_seq + i.n THEN 'dup'
            WHEN h.epoch = i.epoch AND h.state = 'leased' THEN 'gap'
            WHEN h.ord IS NULL THEN 'absent'
            ELSE 'fenced' END AS result,
       coalesce(k.state::text, CASE WHEN g.ord IS NULL THEN h.state::text END) AS state, k.inbox_seq, k.pool_id, d.finished_at, coalesce(x.trigger_kind = 5, false) AS mirrored
FROM item i
LEFT JOIN held h USING (ord) LEFT JOIN good g USING (ord) LEFT JOIN kept k USING (ord) LEFT JOIN gone x USING (ord)
LEFT JOIN done d ON d.tenant_id = i.tenant_id AND d.run_id = i.run_id
ORDER BY i.ord
