using System.Globalization;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The status that a script returns with a message's record: where the message was found, and its state (Scripts/Part.Codec.lua).
/// </summary>
internal readonly struct RedisStatus
{
    private const int NumberDigits = 15;

    private RedisStatus(ReadOnlySpan<byte> bytes)
    {
        Number = long.Parse(bytes[..NumberDigits], NumberStyles.None, CultureInfo.InvariantCulture);
        var reader = new RedisReader(bytes[(NumberDigits + 1)..]);
        Place = (RedisPlace)reader.Byte();
        Attempt = reader.Int32();
        Offset = (long)reader.Double();
        AvailableAt = reader.Time();
        State = reader.IsAtEnd ? default : new RedisState(ref reader);
    }

    public long Number { get; }

    public RedisPlace Place { get; }

    public int Attempt { get; }

    public long Offset { get; }

    public DateTimeOffset AvailableAt { get; }

    public RedisState State { get; }

    public MessageState MessageState => Place switch
    {
        RedisPlace.Leased => MessageState.Leased,
        RedisPlace.Delayed => MessageState.Delayed,
        _ => State.DeadLetter is null ? MessageState.Ready : MessageState.Dead,
    };

    public static RedisStatus Read(ReadOnlySpan<byte> bytes) => new(bytes);
}
