-- The queue: only what is alive. A finished run leaves run_live, so the cost of the queue follows the work in progress and never the
-- history.

CREATE TYPE fp.run_state AS ENUM ('ready', 'leased', 'parked', 'held');      -- held: lost its runner too often, waits for a person

CREATE TABLE fp.run_live (
  tenant_id    uuid NOT NULL,
  run_id       uuid NOT NULL,                      -- UUIDv7: its time is also the partition key of the history
  workflow_id  uuid NOT NULL,
  revision_id  bigint NOT NULL,                    -- pinned at the start
  pool_id      int NOT NULL,
  state        fp.run_state NOT NULL,
  priority     smallint NOT NULL DEFAULT 2 CHECK (priority BETWEEN 0 AND 3), -- 0 critical, 1 high, 2 normal, 3 low
  epoch        int NOT NULL DEFAULT 0,             -- the fence: raised by every lease and every sweep, never lowered
  next_seq     int NOT NULL DEFAULT 0,             -- number of journal events so far
  inbox_seq    int NOT NULL DEFAULT 0,             -- number of messages ever sent to this run
  crashes      smallint NOT NULL DEFAULT 0,        -- lost runners, not failed attempts
  session_id   uuid,                               -- the runner_session that holds it
  ready_at     timestamptz NOT NULL,               -- always "now" when it becomes ready: low-water marks of claims depend on it
  wake_at      timestamptz,                        -- earliest timer of a parked run; the engine knows the others
  started_at   timestamptz,
  trigger_kind smallint NOT NULL,                  -- 0 api, 1 webhook, 2 schedule, 3 event, 4 child, 5 resource, 6 backfill, 7 test
  trigger_id   text,                               -- of a resource: the UID of the WorkflowRun
  actor        text NOT NULL,
  PRIMARY KEY (tenant_id, run_id)
) WITH (fillfactor = 60,                           -- room for heap-only updates: progress changes no indexed column
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000);
CREATE INDEX run_live_ready  ON fp.run_live (pool_id, tenant_id, priority, ready_at) WHERE state = 'ready';
CREATE INDEX run_live_leased ON fp.run_live (session_id) WHERE state = 'leased';
CREATE INDEX run_live_wake   ON fp.run_live (wake_at) WHERE state = 'parked' AND wake_at IS NOT NULL;

-- A lease belongs to a runner's session: one small update renews all runs that the runner holds.
CREATE TABLE fp.runner_session (
  session_id uuid PRIMARY KEY,
  tenant_id  uuid NOT NULL,
  pool_id    int NOT NULL,
  runner     text NOT NULL,
  capacity   int NOT NULL CHECK (capacity > 0),
  opened_at  timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  closed_at  timestamptz
) WITH (fillfactor = 50);
CREATE INDEX runner_session_open   ON fp.runner_session (pool_id) WHERE closed_at IS NULL;
CREATE INDEX runner_session_closed ON fp.runner_session (closed_at) WHERE closed_at IS NOT NULL;

-- One row per start that carried a key, so that a repeated request finds its run.
CREATE TABLE fp.start_dedupe (
  tenant_id  uuid NOT NULL,
  scope      smallint NOT NULL,                    -- 1 Idempotency-Key, 2 schedule, 3 webhook, 4 WorkflowRun UID, 5 child
  key        uuid NOT NULL,
  run_id     uuid NOT NULL,
  body_hash  bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, scope, key)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX start_dedupe_expiry ON fp.start_dedupe (expires_at);

-- Messages to a run. The holder of the lease is the only writer of a journal; everybody else writes here.
CREATE TABLE fp.run_inbox (
  tenant_id uuid NOT NULL,
  run_id    uuid NOT NULL,
  seq       int NOT NULL,
  kind      text NOT NULL,
  dedupe    text,
  body      json NOT NULL,
  at        timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, run_id, seq),
  UNIQUE (tenant_id, run_id, dedupe)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['run_live', 'runner_session', 'start_dedupe', 'run_inbox'] LOOP
    EXECUTE format('ALTER TABLE fp.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY engine ON fp.%I TO fp_engine USING (true) WITH CHECK (true)', t);
    EXECUTE format('CREATE POLICY retention ON fp.%I TO fp_retention USING (true)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON fp.%I TO fp_engine', t);
    EXECUTE format('GRANT SELECT, DELETE ON fp.%I TO fp_retention', t);
  END LOOP;
END $$;
CREATE POLICY tenant ON fp.run_live TO fp_app USING (tenant_id = fp.current_tenant()) WITH CHECK (tenant_id = fp.current_tenant());
GRANT SELECT ON fp.run_live TO fp_app;
