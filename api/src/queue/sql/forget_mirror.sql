-- Ends of runs that the operator has had a week to read. $1 limit
DELETE FROM fp.run_mirror d USING (
  SELECT tenant_id, run_id FROM fp.run_mirror WHERE changed_at < now() - interval '7 days' ORDER BY changed_at LIMIT $1::int) x
WHERE d.tenant_id = x.tenant_id AND d.run_id = x.run_id
