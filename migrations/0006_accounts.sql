-- Sessions that are listed, accounts that are exported and deleted.
SELECT;
