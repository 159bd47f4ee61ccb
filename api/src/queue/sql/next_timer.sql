-- Milliseconds until the next timer is due; null without one.
SELECT greatest(0, ceil(extract(epoch FROM (SELECT wake_at FROM fp.run_live WHERE state = 'parked' AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1) - now()) * 1000))::bigint AS millis
