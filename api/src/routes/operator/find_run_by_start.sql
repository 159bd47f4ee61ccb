-- $1 UID of the WorkflowRun
SELECT tenant_id, run_id FROM fp.start_dedupe WHERE scope = 4 AND key = $1::uuid LIMIT 1
