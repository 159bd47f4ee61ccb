-- What happened to runs of WorkflowRun objects after a position. $1 after $2 limit
SELECT m.pos, m.tenant_id, m.run_id FROM fp.run_mirror m WHERE m.pos > $1 ORDER BY m.pos LIMIT $2::int
