-- Revisions of a workflow, newest first, without their specs. $1 tenant $2 workflow $3 before this revision $4 limit
SELECT revision_id, workflow_id, digest, '' AS spec, created_at FROM fp.workflow_revision
WHERE tenant_id = $1 AND workflow_id = $2 AND revision_id < $3
ORDER BY revision_id DESC LIMIT $4
