-- News for other replicas. They are hints, so this transaction need not wait for the disk: a flush of its own would delay the commits
-- that do.
-- $1 channel $2 payloads
SELECT pg_notify($1, p), set_config('synchronous_commit', 'off', true) FROM unnest($2::text[]) AS p
