-- The run of a WorkflowRun, by the object's UID and without its tenant: the operator knows no more when the object goes away.
CREATE INDEX run_live_resource     ON fp.run_live (trigger_id) WHERE trigger_kind = 5;
CREATE INDEX start_dedupe_resource ON fp.start_dedupe (key) WHERE scope = 4;
