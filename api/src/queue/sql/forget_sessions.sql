-- Sessions closed an hour ago, once nothing is leased to them any more. $1 limit
DELETE FROM fp.runner_session d USING (
  SELECT s.session_id FROM fp.runner_session s WHERE s.closed_at < now() - interval '1 hour'
    AND NOT EXISTS (SELECT FROM fp.run_live r WHERE r.session_id = s.session_id AND r.state = 'leased') LIMIT $1::int) x
WHERE d.session_id = x.session_id
