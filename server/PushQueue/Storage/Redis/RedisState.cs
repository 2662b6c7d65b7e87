using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>The changeable part of a message, for those few that have one (Scripts/Part.Codec.lua).</summary>
internal readonly struct RedisState
{
    private const byte HasWorker = 2;
    private const byte HasLastWorker = 4;
    private const byte HasLastError = 8;
    private const byte HasDeadLetter = 16;

    public RedisState(ref RedisReader reader)
    {
        var bits = reader.Byte();
        reader.Skip(4);
        Looks = reader.Int32();
        reader.Skip(8);
        var leaseEnd = (long)reader.Double();
        LeaseEnd = leaseEnd == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(leaseEnd);
        reader.Skip(8);
        Receipt = new Receipt(reader.UInt64());
        Worker = (bits & HasWorker) != 0 ? reader.Text() : null;
        LastWorker = (bits & HasLastWorker) != 0 ? reader.Text() : null;
        LastError = (bits & HasLastError) != 0 ? reader.Text() : null;
        if ((bits & HasDeadLetter) != 0)
        {
            DeadLetter = new DeadLetter(QueueName.Parse(reader.Text()), reader.Text(), reader.Int32(), reader.Time());
        }
    }

    public int Looks { get; }

    public DateTimeOffset? LeaseEnd { get; }

    public Receipt Receipt { get; }

    public string? Worker { get; }

    public string? LastWorker { get; }

    public string? LastError { get; }

    public DeadLetter? DeadLetter { get; }
}
