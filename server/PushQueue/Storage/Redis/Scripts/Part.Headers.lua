-- Part: the headers of messages.
-- Those of a record by their names.
local function headers_of(record, message)
  local headers, at = {}, message.at
  if not has(message.flags, 128) then return headers end
  local packed
  packed, at = struct.unpack('>I2c0', record, at)
  if has(message.flags, 32) then packed, at = struct.unpack('>I2c0', record, at) end
  packed = struct.unpack('>I2c0', record, at)
  at = 1
  while at <= #packed do
    local name, value
    name, value, at = struct.unpack('>Bc0I2c0', packed, at)
    headers[name] = value
  end
  return headers
end
