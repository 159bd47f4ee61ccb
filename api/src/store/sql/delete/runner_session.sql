-- A deleted tenant's rows. $1 tenant $2 limit
DELETE FROM fp.runner_session WHERE (session_id) IN (SELECT session_id FROM fp.runner_session WHERE tenant_id = $1 LIMIT $2)
