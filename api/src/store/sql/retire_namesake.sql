-- A workflow of this name under another UID, unless ours is known and over: then the message is about the past.
-- $1 tenant $2 uid $3 name
UPDATE fp.workflow w SET deleted_at = now(), updated_at = now()
WHERE w.tenant_id = $1 AND w.name = $3 AND w.workflow_id <> $2 AND w.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM fp.workflow o WHERE o.tenant_id = $1 AND o.workflow_id = $2 AND o.deleted_at IS NOT NULL)
