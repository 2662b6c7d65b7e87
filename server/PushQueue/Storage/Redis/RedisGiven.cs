using System.Globalization;
using System.Text;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>What a script gives out beside a message's record: where the message stands, and its state (Scripts/Part.Codec.lua).</summary>
internal readonly struct RedisGiven
{
    private const int NumberDigits = 15;

    private RedisGiven(ReadOnlySpan<byte> bytes)
    {
        Number = long.Parse(bytes[..NumberDigits], NumberStyles.None, CultureInfo.InvariantCulture);
        var reader = new RedisReader(bytes[(NumberDigits + 1)..]);
        Place = (char)reader.Byte();
        Attempt = reader.Int32();
        Offset = (long)reader.Double();
        AvailableAt = reader.Time();
        State = reader.IsAtEnd ? default : new RedisState(ref reader);
    }

    public long Number { get; }

    /// <summary>r, d or l.</summary>
    public char Place { get; }

    public int Attempt { get; }

    public long Offset { get; }

    public DateTimeOffset AvailableAt { get; }

    public RedisState State { get; }

    public MessageState MessageState => Place switch
    {
        'l' => MessageState.Leased,
        'd' => MessageState.Delayed,
        _ => State.DeadLetter is null ? MessageState.Ready : MessageState.Dead,
    };

    public static RedisGiven Read(ReadOnlySpan<byte> bytes) => new(bytes);

    /// <summary>The member behind which a page begins, as a script names it.</summary>
    public static string Member(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes[..(NumberDigits + 1)]);
}
