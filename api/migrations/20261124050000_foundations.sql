-- The ground everything else stands on: who is the tenant of a transaction, and the clock inside a run id.

GRANT USAGE ON SCHEMA fp TO fp_app, fp_engine, fp_retention;
-- Functions are executable by everybody unless said otherwise; here nobody gets what was not granted by name.
ALTER DEFAULT PRIVILEGES IN SCHEMA fp REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- STABLE carries weight: an IMMUTABLE function is folded into a cached plan, and the next tenant on that connection would read the
-- rows of the first. Without missing_ok an unset tenant is an error instead of an empty answer; the empty string that a
-- transaction-local setting leaves behind fails in the cast, which is an error too.
CREATE FUNCTION fp.current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT current_setting('app.tenant_id')::uuid $$;
GRANT EXECUTE ON FUNCTION fp.current_tenant() TO fp_app;

-- The smallest UUIDv7 of an instant: the bound of a partition.
CREATE FUNCTION fp.uuid7_floor(instant timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE
  AS $$ SELECT rpad(encode(substring(int8send((extract(epoch FROM instant) * 1000)::bigint) FROM 3), 'hex'), 32, '0')::uuid $$;

-- The list of applied migrations is read by every starting server (is this schema the one I know?) and written by migrations only.
ALTER TABLE fp.schema_migrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON fp.schema_migrations TO fp_owner USING (true) WITH CHECK (true);
CREATE POLICY engine ON fp.schema_migrations FOR SELECT TO fp_engine USING (true);
GRANT SELECT ON fp.schema_migrations TO fp_engine;
