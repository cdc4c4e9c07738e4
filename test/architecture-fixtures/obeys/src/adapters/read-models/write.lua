-- Writes one row if it is still at the version the writer folded from. KEYS[1] the row, ARGV[1] its version.
return redis.call("hget", KEYS[1], "version")
