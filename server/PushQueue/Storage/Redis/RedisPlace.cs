namespace PushQueue.Storage.Redis;

/// <summary>Where a script found a message; the same letters as in Scripts/Part.Codec.lua.</summary>
internal enum RedisPlace : byte
{
    Ready = (byte)'r',
    Delayed = (byte)'d',
    Leased = (byte)'l',
}
