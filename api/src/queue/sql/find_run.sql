-- Where a run is, when a message found no live row for it. $1 tenant $2 run
SELECT EXISTS (SELECT FROM fp.run_live WHERE tenant_id = $1 AND run_id = $2) AS live,
       EXISTS (SELECT FROM fp.run_done WHERE tenant_id = $1 AND run_id = $2) AS done
