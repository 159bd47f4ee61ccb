-- Asked as the login itself: may it become the engine's role, and is there a list of migrations?
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fp_engine' AND pg_has_role(oid, 'MEMBER'))
   AND EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'fp' AND c.relname = 'schema_migrations')
