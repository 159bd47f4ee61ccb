-- After "absent": was it our own finish? Apart from the batch, because this probe opens partitions.
-- $1 tenant $2 run $3 epoch $4 number of events after the commit
SELECT epoch = $3 AND last_seq = $4 AS ours FROM fp.run_done WHERE tenant_id = $1 AND run_id = $2
