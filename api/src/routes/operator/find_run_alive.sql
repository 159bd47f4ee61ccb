-- $1 UID of the WorkflowRun
SELECT tenant_id, run_id FROM fp.run_live WHERE trigger_kind = 5 AND trigger_id = $1::uuid::text LIMIT 1
