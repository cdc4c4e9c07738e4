/**
 * Purpose: write some fields of rows and remove others, of each row that stands at the version the writer folded from.
 * Invariant: version and fields of a row change together or not at all, so that a worker that lost its partition cannot
 *   overwrite its successor, and a batch applied twice is applied once. A refused row does not keep the others back.
 * KEYS: the rows, hashes; the version of each is its field "#version" (absent: 0).
 * ARGV: of each row in turn: version it must have, or "older" for any up to the new one · new version · numbers of fields
 *   to set and to remove · names and values of the first · names of the second.
 * Returns for each row nil when written, else the version it stands at.
 */
export const guardedWrite = `
-- unpack fits some thousands of values on the stack.
local function inParts(command, key, first, last)
  for from = first, last, 1000 do
    redis.call(command, key, unpack(ARGV, from, math.min(from + 999, last)))
  end
end
local outcomes = {}
local at = 1
for row, key in ipairs(KEYS) do
  local from, to = ARGV[at], ARGV[at + 1]
  local first = at + 4
  local afterSet = first + 2 * tonumber(ARGV[at + 2])
  local afterRemove = afterSet + tonumber(ARGV[at + 3])
  local version = redis.call('HGET', key, '#version') or '0'
  local free = version == from
  if from == 'older' then free = tonumber(version) <= tonumber(to) end
  if free then
    redis.call('HSET', key, '#version', to, unpack(ARGV, first, math.min(first + 999, afterSet - 1)))
    inParts('HSET', key, first + 1000, afterSet - 1)
    inParts('HDEL', key, afterSet, afterRemove - 1)
  end
  -- nil would end the table.
  outcomes[row] = not free and version
  at = afterRemove
end
return outcomes
`;

export const versionField = "#version";
