-- A tenant, unless a newer generation of it is known or it is being deleted. $1 uid $2 generation $3 name $4 title $5 class $6 variables
INSERT INTO fp.tenant AS t (tenant_id, generation, name, title, class, variables) VALUES ($1, $2, $3, $4, $5, $6::text::json)
ON CONFLICT (tenant_id) DO UPDATE SET generation = excluded.generation, title = excluded.title, class = excluded.class, variables = excluded.variables
WHERE t.deleted_at IS NULL AND t.generation <= excluded.generation
  AND (t.generation, t.title, t.class, t.variables::text) IS DISTINCT FROM (excluded.generation, excluded.title, excluded.class, excluded.variables::text)
