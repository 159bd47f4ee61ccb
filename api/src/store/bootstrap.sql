-- What must exist before the first migration: the roles and the schema. Every run of `migrate` executes it; nothing here changes
-- what already stands. Roles belong to the whole server, so another database, or another `migrate`, may be creating them right now.
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['fp_owner',        -- owns every table; only migrations and partition upkeep act as it
                           'fp_app',          -- one tenant per transaction
                           'fp_engine',       -- the queue: batches over many tenants, statements by key
                           'fp_retention']    -- the only role that may delete history
  LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = r) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', r);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;                                 -- created in the same moment by somebody else
      END;
    END IF;
    -- SET ROLE needs membership: since Postgres 16 in particular the SET option, which a plain grant carries and which the
    -- creator of a role does not hold by itself. Up to 15, CREATEROLE is enough to grant it.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles me WHERE me.rolname = current_user AND me.rolsuper)
       AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_auth_members m
         JOIN pg_catalog.pg_roles g ON g.oid = m.roleid JOIN pg_catalog.pg_roles u ON u.oid = m.member
         WHERE g.rolname = r AND u.rolname = current_user
           AND coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))
    THEN
      EXECUTE format('GRANT %I TO %I', r, current_user);
    END IF;
  END LOOP;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'fp') THEN
    CREATE SCHEMA fp AUTHORIZATION fp_owner;
  END IF;
END $$;
