-- A deleted tenant's rows. $1 tenant $2 limit
DELETE FROM fp.tenant WHERE (tenant_id) IN (SELECT tenant_id FROM fp.tenant WHERE tenant_id = $1 LIMIT $2)
