-- The last commit of a run's journal. $1 tenant $2 run
SELECT body::text FROM fp.run_journal WHERE tenant_id = $1 AND run_id = $2 ORDER BY seq DESC LIMIT 1
