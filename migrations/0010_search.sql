-- What was written lately waits beside the index of texts to be merged into it, and every search, whoever asks, reads all
-- that waits: after 2,000 writes, half of PostgreSQL's own limit of 4 MB, that is 0.5 ms more. Merged in small pieces it
-- costs the writes the same (python -m loadtest.bench_sql).
ALTER INDEX tasks_by_text SET (gin_pending_list_limit = 64);
