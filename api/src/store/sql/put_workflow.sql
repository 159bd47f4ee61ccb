-- A workflow and its current revision, unless a newer generation is known or the object is gone.
-- $1 tenant $2 uid $3 generation $4 name $5 labels $6 class $7 digest
INSERT INTO fp.workflow AS w (tenant_id, workflow_id, generation, name, labels, pool_id, current_revision)
SELECT $1, $2, $3, $4, $5::text::json, p.pool_id, r.revision_id
FROM fp.pool p, fp.workflow_revision r
WHERE p.tenant_id = $1 AND p.class = $6 AND r.tenant_id = $1 AND r.workflow_id = $2 AND r.digest = $7
ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET generation = excluded.generation, labels = excluded.labels, pool_id = excluded.pool_id,
  current_revision = excluded.current_revision, updated_at = now()
WHERE w.deleted_at IS NULL AND w.generation <= excluded.generation
  AND (w.generation, w.labels::text, w.pool_id, w.current_revision) IS DISTINCT FROM (excluded.generation, excluded.labels::text, excluded.pool_id, excluded.current_revision)
