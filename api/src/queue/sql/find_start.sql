-- The run that a key already started. $1 tenant $2 scope $3 key
SELECT run_id, body_hash FROM fp.start_dedupe WHERE tenant_id = $1 AND scope = $2 AND key = $3
