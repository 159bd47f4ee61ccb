-- Keys of starts that are no longer remembered. $1 limit
DELETE FROM fp.start_dedupe d USING (
  SELECT tenant_id, scope, key FROM fp.start_dedupe WHERE expires_at < now() ORDER BY expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED) x
WHERE d.tenant_id = x.tenant_id AND d.scope = x.scope AND d.key = x.key
