-- Milliseconds until the next timer is due; no row without one.
SELECT greatest(0, ceil(extract(epoch FROM wake_at - now()) * 1000))::bigint AS millis
FROM fp.run_live WHERE state = 'parked' AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1
