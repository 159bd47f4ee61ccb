-- One revision by digest. $1 tenant $2 digest $3 workflow, or null for any
SELECT revision_id, workflow_id, digest, spec::text AS spec, created_at FROM fp.workflow_revision
WHERE tenant_id = $1 AND digest = $2 AND ($3::uuid IS NULL OR workflow_id = $3)
ORDER BY revision_id DESC LIMIT 1
