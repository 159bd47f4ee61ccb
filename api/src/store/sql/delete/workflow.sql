-- A deleted tenant's rows. $1 tenant $2 limit
DELETE FROM fp.workflow WHERE (tenant_id, workflow_id) IN (SELECT tenant_id, workflow_id FROM fp.workflow WHERE tenant_id = $1 LIMIT $2)
