-- A revision, once. $1 tenant $2 workflow $3 digest $4 spec
INSERT INTO fp.workflow_revision (tenant_id, workflow_id, digest, spec) SELECT $1, $2::uuid, $3::text, $4::text::json
WHERE NOT EXISTS (SELECT FROM fp.workflow_revision WHERE tenant_id = $1 AND workflow_id = $2 AND digest = $3)
ON CONFLICT DO NOTHING
