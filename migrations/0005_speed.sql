-- Indexes and functions that make the contract's reads and writes cheap.
SELECT;
