-- What operators do: dead letters, pausing, requeueing.
SELECT;
