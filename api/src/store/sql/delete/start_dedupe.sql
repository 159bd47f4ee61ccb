-- A deleted tenant's rows. $1 tenant $2 limit
DELETE FROM fp.start_dedupe WHERE (tenant_id, scope, key) IN (SELECT tenant_id, scope, key FROM fp.start_dedupe WHERE tenant_id = $1 LIMIT $2)
