-- Is there anything the mirror has not told yet?
SELECT EXISTS (SELECT FROM fp.run_mirror WHERE pos IS NULL) AS found
