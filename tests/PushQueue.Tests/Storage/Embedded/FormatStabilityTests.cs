using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Numbers that stand on disk. A test that fails here says: do not renumber; add a number at the end instead.</summary>
public sealed class FormatStabilityTests
{
    [Fact]
    public void Record_types_keep_their_numbers() =>
        Assert.Equal(
            "SegmentHeader=1 Message=2 BatchStart=3 BatchEnd=4 Removed=5 Leased=6 Changed=7 Broadcast=8 Moved=9 QueueState=10 QueueDeleted=11 "
            + "SnapshotStart=12 SnapshotEnd=13 SegmentDropped=14 KnownId=15 CleanStop=16",
            Numbers<RecordType>());

    [Fact]
    public void States_policies_and_durabilities_keep_their_numbers()
    {
        Assert.Equal("Ready=0 Delayed=1 Leased=2 Dead=3", Numbers<MessageState>());
        Assert.Equal("Broadcast=1 RoundRobin=2", Numbers<DeliveryPolicy>());
        Assert.Equal("Reject=0 DropOldest=1", Numbers<FullQueuePolicy>());
        Assert.Equal("Synced=0 Interval=1 Memory=2 Redis=3", Numbers<DurabilityMode>());
    }

    [Fact]
    public void A_record_written_by_the_first_version_can_be_read()
    {
        // Queue 3, sequence 7, put at 1000 ms for 1000 ms, priority 5, text/plain, id "a", body "hi".
        byte[] payload = [1, 0, 3, 7, 0xE8, 7, 0xE8, 7, 5, 2, 1, (byte)'a', (byte)'h', (byte)'i'];

        var message = MessageRecord.Read(payload, out var queue);

        Assert.Equal(3, queue);
        Assert.Equal(7, message.Sequence);
        Assert.Equal(1000, message.EnqueuedAtMs);
        Assert.Equal(5, message.Priority);
        Assert.Equal("text/plain", message.ContentType);
        Assert.Equal("a", message.ClientId);
        Assert.Equal(2, message.BodyLength);
    }

    private static string Numbers<T>()
        where T : struct, Enum =>
        string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToInt32(value)}"));
}
