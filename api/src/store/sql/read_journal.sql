-- A run's journal from an event on. $1 tenant $2 run $3 after this event $4 limit
SELECT seq, n, epoch, at, body::text AS body FROM fp.run_journal
WHERE tenant_id = $1 AND run_id = $2 AND seq + n - 1 > $3 ORDER BY seq LIMIT $4
