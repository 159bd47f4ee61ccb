-- One probe of the primary key per tenant of the cell. $1 UID of the WorkflowRun
SELECT t.tenant_id, d.run_id FROM fp.tenant t
CROSS JOIN LATERAL (SELECT s.run_id FROM fp.start_dedupe s
                    WHERE s.tenant_id = t.tenant_id AND s.scope = 4 AND s.key = $1::uuid LIMIT 1) d
LIMIT 1
