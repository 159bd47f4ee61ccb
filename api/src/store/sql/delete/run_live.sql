-- A deleted tenant's rows. $1 tenant $2 limit
DELETE FROM fp.run_live WHERE (tenant_id, run_id) IN (SELECT tenant_id, run_id FROM fp.run_live WHERE tenant_id = $1 LIMIT $2)
