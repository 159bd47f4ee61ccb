-- A deleted tenant's rows. $1 tenant $2 limit
DELETE FROM fp.workflow_revision WHERE (tenant_id, revision_id) IN (SELECT tenant_id, revision_id FROM fp.workflow_revision WHERE tenant_id = $1 LIMIT $2)
