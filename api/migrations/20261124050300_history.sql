-- The history: insert-only, partitioned by the time inside run_id. A lookup by (tenant_id, run_id) prunes to one partition, lists walk
-- the partitions newest first, and retention drops whole partitions.

CREATE TYPE fp.run_outcome AS ENUM ('succeeded', 'failed', 'cancelled');

CREATE TABLE fp.run_done (
  tenant_id     uuid NOT NULL,
  run_id        uuid NOT NULL,
  workflow_id   uuid NOT NULL,
  revision_id   bigint NOT NULL,
  outcome       fp.run_outcome NOT NULL,
  priority      smallint NOT NULL,
  trigger_kind  smallint NOT NULL,
  trigger_id    text,
  actor         text NOT NULL,
  epoch         int NOT NULL,
  last_seq      int NOT NULL,                      -- number of events in its journal
  crashes       smallint NOT NULL,
  error_code    text,
  error_step    text,
  error_message text,
  started_at    timestamptz,
  finished_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, run_id)
) PARTITION BY RANGE (run_id);
CREATE INDEX run_done_workflow ON fp.run_done (tenant_id, workflow_id, run_id DESC);
CREATE INDEX run_done_failed   ON fp.run_done (tenant_id, run_id DESC) WHERE outcome = 'failed';

-- One row per commit, not per event.
CREATE TABLE fp.run_journal (
  tenant_id uuid NOT NULL,
  run_id    uuid NOT NULL,
  seq       int NOT NULL,                          -- number of the first event in body
  n         smallint NOT NULL,                     -- events in body
  epoch     int NOT NULL,
  at        timestamptz NOT NULL,
  body      json NOT NULL,                         -- an array of events; json is stored byte for byte and is cheaper to insert than jsonb
  PRIMARY KEY (run_id, seq, tenant_id)             -- run first: inserts go to the right edge of the index
) PARTITION BY RANGE (run_id);

-- Runs that a WorkflowRun object asked for and whose status it must be told. pos is given by the reader (fp.number_mirror), not by the
-- writer: numbers of concurrent transactions do not become visible in order, and a cursor over them would lose rows.
CREATE TABLE fp.run_mirror (
  tenant_id  uuid NOT NULL,
  run_id     uuid NOT NULL,
  finished   boolean NOT NULL,
  changed_at timestamptz NOT NULL,
  pos        bigint,
  PRIMARY KEY (tenant_id, run_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX run_mirror_new ON fp.run_mirror (changed_at) WHERE pos IS NULL;
CREATE INDEX run_mirror_pos ON fp.run_mirror (pos) WHERE pos IS NOT NULL;
CREATE INDEX run_mirror_age ON fp.run_mirror (changed_at);
CREATE SEQUENCE fp.run_mirror_number;
GRANT USAGE ON SEQUENCE fp.run_mirror_number TO fp_engine;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['run_done', 'run_journal', 'run_mirror'] LOOP
    EXECUTE format('ALTER TABLE fp.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY engine ON fp.%I TO fp_engine USING (true) WITH CHECK (true)', t);
    EXECUTE format('CREATE POLICY retention ON fp.%I TO fp_retention USING (true)', t);
    EXECUTE format('GRANT SELECT, DELETE ON fp.%I TO fp_retention', t);
    EXECUTE format('GRANT SELECT, INSERT ON fp.%I TO fp_engine', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['run_done', 'run_journal'] LOOP
    EXECUTE format('CREATE POLICY tenant ON fp.%I TO fp_app USING (tenant_id = fp.current_tenant()) WITH CHECK (tenant_id = fp.current_tenant())', t);
    EXECUTE format('GRANT SELECT ON fp.%I TO fp_app', t);
  END LOOP;
END $$;
GRANT UPDATE, DELETE ON fp.run_mirror TO fp_engine;

-- Partitions: made beside the parent and then attached, which does not stop the writers. They have row security and no policy, so
-- nobody can go around the parent.
CREATE PROCEDURE fp.add_partition(parent text, first_day date, days int) LANGUAGE plpgsql AS $$
DECLARE child text := parent || '_' || to_char(first_day, 'YYYYMMDD');
BEGIN
  EXECUTE format('CREATE TABLE fp.%I (LIKE fp.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 100)', child, parent);
  EXECUTE format('ALTER TABLE fp.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', child);
  EXECUTE format('ALTER TABLE fp.%I ATTACH PARTITION fp.%I FOR VALUES FROM (%L) TO (%L)', parent, child,
                 fp.uuid7_floor(first_day::timestamp AT TIME ZONE 'UTC'),
                 fp.uuid7_floor((first_day + days)::timestamp AT TIME ZONE 'UTC'));
END $$;

-- One week per partition, from the last week to eight weeks ahead. Called by every migration run and by a daily task of the server: a
-- row past the last partition would be refused.
CREATE PROCEDURE fp.add_missing_partitions() LANGUAGE plpgsql AS $$
DECLARE parent text; monday date;
BEGIN
  FOREACH parent IN ARRAY ARRAY['run_done', 'run_journal'] LOOP
    FOR week IN -1 .. 8 LOOP
      monday := date_trunc('week', now() AT TIME ZONE 'UTC')::date + 7 * week;
      IF to_regclass('fp.' || parent || '_' || to_char(monday, 'YYYYMMDD')) IS NULL THEN
        CALL fp.add_partition(parent, monday, 7);
      END IF;
    END LOOP;
  END LOOP;
END $$;
CALL fp.add_missing_partitions();
