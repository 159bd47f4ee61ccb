-- A message that arrived while its run was ending stays behind, unseen by the statement that ended the run. $1 limit
DELETE FROM fp.run_inbox d USING (
  SELECT b.tenant_id, b.run_id, b.seq FROM fp.run_inbox b WHERE b.at < now() - interval '1 hour'
    AND NOT EXISTS (SELECT FROM fp.run_live r WHERE r.tenant_id = b.tenant_id AND r.run_id = b.run_id) LIMIT $1::int) x
WHERE d.tenant_id = x.tenant_id AND d.run_id = x.run_id AND d.seq = x.seq
