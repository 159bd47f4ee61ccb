-- Workflows of a tenant by name. $1 tenant $2 after this name $3 limit
SELECT w.workflow_id, w.name, w.labels::text AS labels, w.generation, w.current_revision AS revision_id, r.digest, w.pool_id,
       w.created_at, w.updated_at
FROM fp.workflow w
JOIN fp.workflow_revision r ON r.tenant_id = w.tenant_id AND r.revision_id = w.current_revision
WHERE w.tenant_id = $1 AND w.name > $2 AND w.deleted_at IS NULL
ORDER BY w.name LIMIT $3
