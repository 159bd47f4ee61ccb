-- A deleted tenant's rows. $1 tenant $2 limit
DELETE FROM fp.run_journal WHERE (tenant_id, run_id, seq) IN (SELECT tenant_id, run_id, seq FROM fp.run_journal WHERE tenant_id = $1 LIMIT $2)
