-- Messages that the runs of a session have not acknowledged. $1 session $2 tenant
SELECT r.run_id, b.seq, b.kind, b.body, b.at
FROM fp.run_live r
CROSS JOIN LATERAL (
  SELECT b.seq, b.kind, b.body::text AS body, b.at FROM fp.run_inbox b
  WHERE b.tenant_id = r.tenant_id AND b.run_id = r.run_id ORDER BY b.seq LIMIT 100) b
WHERE r.session_id = $1 AND r.state = 'leased' AND r.tenant_id = $2 AND r.inbox_seq > 0
