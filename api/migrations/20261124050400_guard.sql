-- The catalogue gate: rules about the schema that no test of a single statement can see. It returns what is wrong; a server that gets a
-- row refuses to serve. An acting role is one that statements of the server run as.
CREATE FUNCTION fp.guard() RETURNS TABLE (rule int, finding text) LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  WITH rel AS (SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'fp'),
       acting AS (SELECT oid, rolname FROM pg_roles WHERE rolname IN ('fp_app', 'fp_engine', 'fp_retention')),
       policy AS (SELECT p.*, pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS wcheck, r.relname
                  FROM pg_policy p JOIN rel r ON r.oid = p.polrelid)
  SELECT 1, 'row security is not enabled and forced: ' || relname FROM rel WHERE relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
  UNION ALL
  SELECT 2, 'a partition is reachable: ' || r.relname || ' by ' || a.rolname FROM rel r, acting a
    WHERE r.relispartition AND r.relkind IN ('r', 'p') AND has_table_privilege(a.oid, r.oid, 'SELECT, INSERT, UPDATE, DELETE')
  UNION ALL
  SELECT 3, 'current_tenant must be STABLE, or plans keep the tenant of another caller'
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'fp' AND p.proname = 'current_tenant' AND p.provolatile <> 's'
  UNION ALL
  SELECT 4, 'SECURITY DEFINER is not on the list of the guard: ' || p.proname
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'fp' AND p.prosecdef
  UNION ALL
  SELECT 5, 'a role of the schema may log in, is a superuser or bypasses row security: ' || rolname
    FROM pg_roles WHERE rolname IN ('fp_owner', 'fp_app', 'fp_engine', 'fp_retention') AND (rolcanlogin OR rolsuper OR rolbypassrls)
  UNION ALL
  SELECT 6, 'an acting role is a member of another role: ' || a.rolname FROM acting a JOIN pg_auth_members m ON m.member = a.oid
  UNION ALL
  SELECT 7, 'not owned by fp_owner: ' || r.relname FROM rel r WHERE r.relowner <> (SELECT oid FROM pg_roles WHERE rolname = 'fp_owner')
  UNION ALL
  SELECT 8, 'a view without security_invoker: ' || relname FROM rel WHERE relkind = 'v' AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
  UNION ALL
  SELECT 9, 'a materialized view has no row security: ' || relname FROM rel WHERE relkind = 'm'
  UNION ALL
  SELECT 10, 'truncate, references and triggers go around row security: ' || r.relname || ' by ' || a.rolname FROM rel r, acting a
    WHERE r.relkind IN ('r', 'p') AND has_table_privilege(a.oid, r.oid, 'TRUNCATE, REFERENCES, TRIGGER')
  UNION ALL
  SELECT 11, 'history can be changed: ' || r.relname || ' by ' || a.rolname FROM rel r, acting a
    WHERE r.relname IN ('run_done', 'run_journal', 'workflow_revision')
      AND (has_table_privilege(a.oid, r.oid, 'UPDATE') OR (a.rolname <> 'fp_retention' AND has_table_privilege(a.oid, r.oid, 'DELETE')))
  UNION ALL
  SELECT 12, 'granted without a policy: ' || r.relname || ' to ' || a.rolname FROM rel r, acting a
    WHERE r.relkind IN ('r', 'p') AND has_table_privilege(a.oid, r.oid, 'SELECT, INSERT, UPDATE, DELETE')
      AND NOT EXISTS (SELECT FROM policy p WHERE p.polrelid = r.oid AND a.oid = ANY (p.polroles))
  UNION ALL
  SELECT 13, 'a policy of fp_app does not name the tenant: ' || p.polname || ' on ' || p.relname FROM policy p
    WHERE (SELECT oid FROM pg_roles WHERE rolname = 'fp_app') = ANY (p.polroles)
      AND (p.qual IS DISTINCT FROM '(tenant_id = fp.current_tenant())' OR p.wcheck IS DISTINCT FROM '(tenant_id = fp.current_tenant())')
  UNION ALL
  SELECT 14, 'a policy for everybody: ' || p.polname || ' on ' || p.relname FROM policy p WHERE 0 = ANY (p.polroles)
  UNION ALL
  SELECT 15, 'fewer than four weeks of partitions ahead: ' || t.parent FROM (VALUES ('run_done'), ('run_journal')) AS t(parent)
    WHERE to_regclass('fp.' || t.parent || '_' || to_char(date_trunc('week', now() AT TIME ZONE 'UTC') + interval '4 weeks', 'YYYYMMDD')) IS NULL
$$;

-- Settings under which an answered commit may still be lost. A private database of a developer may have them; nothing else may.
CREATE FUNCTION fp.unsafe_durability() RETURNS TABLE (finding text) LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT name || ' = ' || setting FROM pg_settings
  WHERE (name IN ('fsync', 'full_page_writes') AND setting = 'off')
     OR (name = 'synchronous_commit' AND (setting = 'off' OR (setting = 'local' AND current_setting('synchronous_standby_names') <> '')))
$$;
GRANT EXECUTE ON FUNCTION fp.guard(), fp.unsafe_durability() TO fp_engine;
