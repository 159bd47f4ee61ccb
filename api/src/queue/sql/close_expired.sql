-- Sessions without a heartbeat for their time to live.
UPDATE fp.runner_session SET closed_at = now() WHERE closed_at IS NULL AND expires_at < now() RETURNING session_id
