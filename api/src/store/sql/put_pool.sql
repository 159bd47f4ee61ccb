-- The queue of a class, once. $1 tenant $2 class
INSERT INTO fp.pool (tenant_id, class) SELECT $1, $2::text WHERE NOT EXISTS (SELECT FROM fp.pool WHERE tenant_id = $1 AND class = $2)
ON CONFLICT DO NOTHING
