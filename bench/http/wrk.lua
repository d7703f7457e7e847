-- Sends a load's requests one after another and prints the result as the last line, in the form of bench/http/client.ts.
-- wrk counts answers of 400 and above itself; 3xx needs a condition that no load sends.

local requests = {}
local place = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local text = file:read("*a")
  file:close()
  for each in (text .. "\0"):gmatch("(.-)%z") do
    requests[#requests + 1] = each
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"answers":%d,"seconds":%f,"refused":%d,"broken":%d,"p50Ms":%f,"p99Ms":%f,"longestMs":%f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3))
end
