/**
 * Purpose: write some fields of a row and remove others, if the row stands at the version the writer folded from.
 * Invariant: version and fields change together or not at all, so that a worker that lost its partition cannot
 *   overwrite its successor, and a batch applied twice is applied once.
 * KEYS[1]: the row, a hash; its version is the field "#version" (absent: 0).
 * ARGV: version it must have, or "older" for any up to the new one · new version · number of fields to set ·
 *   their names and values, the version's among them · names of fields to remove.
 * Returns nil when written, else the version the row stands at.
 */
export const guardedWrite = `
local version = redis.call('HGET', KEYS[1], '#version') or '0'
if ARGV[1] == 'older' then
  if tonumber(version) > tonumber(ARGV[2]) then return version end
elseif version ~= ARGV[1] then
  return version
end
local last = 3 + 2 * tonumber(ARGV[3])
-- unpack fits some thousands of values on the stack.
for first = 4, last, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, first, math.min(first + 999, last)))
end
for first = last + 1, #ARGV, 1000 do
  redis.call('HDEL', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
return nil
`;

export const versionField = "#version";
