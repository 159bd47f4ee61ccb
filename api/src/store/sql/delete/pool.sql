-- A deleted tenant's rows. $1 tenant $2 limit
DELETE FROM fp.pool WHERE (pool_id) IN (SELECT pool_id FROM fp.pool WHERE tenant_id = $1 LIMIT $2)
