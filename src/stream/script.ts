/** The one script that writes to a project's stream: whatever it does, it does at once or not at all. */

export type Operation = 'begin' | 'token' | 'event' | 'resend' | 'status' | 'project' | 'finish' | 'renew'

/** Seconds that a project's keys outlive the last write, while it is open and after its end. */
export const TTL_S = 86_400
export const ENDED_TTL_S = 3_600
/** Older entries are dropped; the texts cover what they said. */
export const MAX_ENTRIES = 5_000

/**
 * KEYS: meta, entries, text of the stage (`project`: of all stages).
 * ARGV: operation, project id, stage, unix seconds, ISO time, an epoch for when a new one begins, the channels of the
 * stage and of progress, then what the operation takes. Answers {result, epoch, seq}; `fenced` means that the caller's
 * claim has been superseded, `lost` that Redis has forgotten something: the whole text has to be sent again.
 * The fence `-` is held by nobody: the claim of a cancelled stage.
 */
export const SCRIPT = `
local op, project, stage, time, iso, candidate, stage_channel, progress_channel = unpack(ARGV, 1, 8)
local meta, entries, text = KEYS[1], KEYS[2], KEYS[3]
local args = {unpack(ARGV, 9)}

local function get(field) return redis.call('HGET', meta, field) or nil end
local function number(field) return tonumber(get(field) or '-1') end
local function set(...) redis.call('HSET', meta, ...) end
local function answer(result) return {result, get('epoch') or '', tonumber(get('seq') or '0')} end

local function begin_epoch()
  redis.call('DEL', entries)
  set('epoch', candidate, 'seq', 0)
end
local function ensure() if not get('epoch') then begin_epoch() end end

local function keep()
  local seconds = get('ended') == '1' and ${ENDED_TTL_S} or ${TTL_S}
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, seconds) end
end

local function heard(channel)
  return redis.call('PUBSUB', 'NUMSUB', channel)[2] > 0 or redis.call('PUBSUB', 'NUMPAT') > 0
end

local TYPES = {token = 'token', snapshot = 'token', update = 'stage_update', progress = 'progress', done = 'done', error = 'error'}
local function announce(kind, seq, payload, offset)
  local own
  if kind == 'token' then own = '"content":' .. cjson.encode(payload) .. ',"offset":' .. offset
  elseif kind == 'snapshot' then own = '"content":' .. cjson.encode(payload) .. ',"offset":0,"snapshot":true'
  else own = string.sub(payload, 2, -2) end
  if kind == 'done' then own = own .. ',"full_text":' .. cjson.encode(redis.call('GET', text) or '') end
  redis.call('PUBLISH', stage_channel, '{"type":"' .. TYPES[kind] .. '",' .. own .. ',"stage":' .. cjson.encode(stage)
    .. ',"seq":' .. seq .. ',"project_id":' .. cjson.encode(project) .. ',"timestamp":' .. time .. '}')
end

local function add(kind, payload, offset)
  local seq = redis.call('HINCRBY', meta, 'seq', 1)
  local fields = {'e', get('epoch'), 'k', kind, 's', stage, 't', time, 'd', payload}
  if offset then fields[11], fields[12] = 'o', offset end
  redis.call('XADD', entries, 'MAXLEN', '~', ${MAX_ENTRIES}, seq .. '-0', unpack(fields))
  if stage ~= '' and heard(stage_channel) then announce(kind, seq, payload, offset) end
end

local function tell(percent, of, message)
  if not heard(progress_channel) then return end
  redis.call('PUBLISH', progress_channel, '{"project_id":' .. cjson.encode(project) .. ',"stage":' .. of
    .. ',"progress":' .. percent .. ',"message":' .. message .. ',"timestamp":"' .. iso .. '"}')
end

local function overall()
  local sum, all = 0, redis.call('HGETALL', meta)
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 4) == 'pct:' then sum = sum + tonumber(all[i + 1]) end
  end
  local stages = tonumber(get('stages') or '0')
  if stages == 0 then return 0 end
  return math.min(99, math.floor(sum / stages))
end

local function is_superseded(claim, fence)
  local stored = number('claim:' .. stage)
  if stored > claim or (stored == claim and get('fence:' .. stage) ~= fence) then return true end
  local status = get('status:' .. stage)
  return number('rev:' .. stage) > claim and status ~= 'completed' and status ~= 'failed'
end

-- An older claim may stand when Redis had forgotten ours: then we are not fenced, ours has to be put back.
local function refusal(claim, fence, epoch, seq)
  local stored = get('fence:' .. stage)
  if stored and stored ~= fence then
    return number('claim:' .. stage) < tonumber(claim) and 'lost' or 'fenced'
  end
  if not stored or (get('epoch') == epoch and number('seq') < seq) then return 'lost' end
end

local function own(claim, fence, units)
  local revision = math.max(number('rev:' .. stage), claim - 1)
  set('claim:' .. stage, claim, 'fence:' .. stage, fence, 'len:' .. stage, units, 'rev:' .. stage, revision)
  redis.call('HDEL', meta, 'done:' .. stage, 'event:' .. stage)
end

local ops = {}

ops.begin = function(claim, fence)
  claim = tonumber(claim)
  if is_superseded(claim, fence) then return 'fenced' end
  ensure()
  if number('claim:' .. stage) == claim then return 'ok' end
  local before, length = get('fence:' .. stage), number('len:' .. stage)
  own(claim, fence, 0)
  redis.call('HDEL', meta, 'prog:' .. stage)
  redis.call('DEL', text)
  set('pct:' .. stage, 0)
  if (before and before ~= '-') or length > 0 then
    set('status:' .. stage, 'restarted')
    add('update', '{"status":"restarted"}')
    add('snapshot', '', 0)
  end
  return 'ok'
end

ops.token = function(claim, fence, epoch, seq, offset, units, delta)
  local refused = refusal(claim, fence, epoch, tonumber(seq))
  if refused then return refused end
  local length, from = number('len:' .. stage), tonumber(offset)
  local upto = from + tonumber(units)
  if upto <= length then return 'ok' end
  if from ~= length then return 'lost' end
  redis.call('APPEND', text, delta)
  set('len:' .. stage, upto)
  add('token', delta, offset)
  return 'ok'
end

ops.event = function(claim, fence, epoch, seq, nonce, kind, payload, percent, message)
  local refused = refusal(claim, fence, epoch, tonumber(seq))
  if refused then return refused end
  if number('event:' .. stage) >= tonumber(nonce) then return 'ok' end
  set('event:' .. stage, nonce)
  local moved = kind == 'progress' or kind == 'update'
  if moved then set('prog:' .. stage, payload, 'pct:' .. stage, percent) end
  if kind == 'done' then set('done:' .. stage, payload) end
  add(kind, payload)
  if moved then tell(overall(), cjson.encode(stage), message) end
  return 'ok'
end

ops.resend = function(claim, fence, epoch, units, whole)
  claim = tonumber(claim)
  if is_superseded(claim, fence) then return 'fenced' end
  if not get('epoch') or get('epoch') == epoch then begin_epoch() end
  own(claim, fence, units)
  redis.call('SET', text, whole)
  add('snapshot', whole, 0)
  return 'ok'
end

ops.status = function(revision, status, payload, percent, message)
  if tonumber(revision) <= number('rev:' .. stage) then return 'ok' end
  ensure()
  set('rev:' .. stage, revision, 'status:' .. stage, status, 'pct:' .. stage, percent)
  if status == 'cancelled' then set('claim:' .. stage, revision, 'fence:' .. stage, '-') end
  if payload ~= '' then
    add('update', payload)
    tell(overall(), cjson.encode(stage), message)
  end
  return 'ok'
end

ops.project = function(revision, ended, stages, payload, percent, of, message)
  set('stages', stages)
  if tonumber(revision) <= number('rev:*project*') then return 'ok' end
  ensure()
  set('rev:*project*', revision, 'ended', ended)
  add('project', payload)
  tell(percent, of, message)
  return 'ok'
end

ops.finish = function(revision, has_text, units, whole, payload)
  if get('done:' .. stage) or get('status:' .. stage) ~= 'completed' then return 'ok' end
  if number('rev:' .. stage) ~= tonumber(revision) then return 'ok' end
  if has_text == '1' and number('len:' .. stage) ~= tonumber(units) then
    redis.call('SET', text, whole)
    set('len:' .. stage, units)
    add('snapshot', whole, 0)
  end
  set('done:' .. stage, payload)
  add('done', payload)
  return 'ok'
end

ops.renew = function(epoch, seq)
  if get('epoch') == epoch and number('seq') < tonumber(seq) then begin_epoch() end
  return 'ok'
end

local result = ops[op](unpack(args))
if result == 'ok' then keep() end
return answer(result)
`
