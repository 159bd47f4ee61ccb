-- The registry: what the operator has told us about tenants and workflows. The custom resources are the truth; these rows are what
-- runs point to and what lists join with.

-- Keyed by the UID of the Tenant object, so a tenant deleted and made again under its old name is another tenant.
CREATE TABLE fp.tenant (
  tenant_id  uuid PRIMARY KEY,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
  title      text NOT NULL DEFAULT '',
  class      text NOT NULL,                        -- RunnerClass of its runs
  variables  json NOT NULL DEFAULT '{}',           -- of all its workflows
  generation bigint NOT NULL,                      -- of the object; older messages change nothing
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz                           -- its rows are being removed
);
CREATE UNIQUE INDEX tenant_name ON fp.tenant (name) WHERE deleted_at IS NULL;

-- A queue of runs that wait for runners of one class of one tenant.
CREATE TABLE fp.pool (
  pool_id   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid NOT NULL,
  class     text NOT NULL CHECK (length(class) BETWEEN 1 AND 253),
  UNIQUE (tenant_id, class)
);

CREATE TABLE fp.workflow (
  tenant_id        uuid NOT NULL,
  workflow_id      uuid NOT NULL,                  -- UID of the Workflow object
  name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
  title            text NOT NULL DEFAULT '',
  labels           json NOT NULL DEFAULT '{}',
  managed_by       text,                           -- the field manager that owns the spec, when it is not ours
  generation       bigint NOT NULL,
  current_revision bigint NOT NULL,
  pool_id          int NOT NULL,
  created_at       timestamptz NOT NULL DEFAULT now(),
  updated_at       timestamptz NOT NULL DEFAULT now(),
  deleted_at       timestamptz,                    -- kept for the names in its runs' history
  PRIMARY KEY (tenant_id, workflow_id)
);
CREATE UNIQUE INDEX workflow_name ON fp.workflow (tenant_id, name) WHERE deleted_at IS NULL;

-- Immutable: one spec, named by its digest.
CREATE TABLE fp.workflow_revision (
  tenant_id   uuid NOT NULL,
  revision_id bigint GENERATED ALWAYS AS IDENTITY,
  workflow_id uuid NOT NULL,
  digest      text NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
  spec        json NOT NULL,                       -- json keeps the bytes that the digest was made from
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, revision_id),
  UNIQUE (tenant_id, workflow_id, digest)
);
-- A runner asks for a plan by digest alone.
CREATE INDEX workflow_revision_digest ON fp.workflow_revision (tenant_id, digest);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['tenant', 'pool', 'workflow', 'workflow_revision'] LOOP
    EXECUTE format('ALTER TABLE fp.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant ON fp.%I TO fp_app USING (tenant_id = fp.current_tenant()) WITH CHECK (tenant_id = fp.current_tenant())', t);
    EXECUTE format('CREATE POLICY engine ON fp.%I TO fp_engine USING (true) WITH CHECK (true)', t);
    EXECUTE format('CREATE POLICY retention ON fp.%I TO fp_retention USING (true)', t);
    EXECUTE format('GRANT SELECT, DELETE ON fp.%I TO fp_retention', t);
    EXECUTE format('GRANT SELECT ON fp.%I TO fp_engine', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON fp.tenant, fp.workflow TO fp_app;
GRANT SELECT, INSERT ON fp.pool, fp.workflow_revision TO fp_app;
GRANT INSERT ON fp.pool TO fp_engine;              -- a runner may come before the first workflow of its class
