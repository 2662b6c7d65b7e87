using System.Text;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Numbers that stand on disk. A test that fails here says: do not renumber; add a number at the end instead.</summary>
public sealed class FormatStabilityTests
{
    [Fact]
    public void Record_types_keep_their_numbers() =>
        Assert.Equal(
            "SegmentHeader=1 Message=2 BatchStart=3 BatchEnd=4 Removed=5 Leased=6 Changed=7 Broadcast=8 Moved=9 QueueState=10 "
                + "QueueDeleted=11 SnapshotStart=12 SnapshotEnd=13 SegmentDropped=14 KnownId=15 CleanStop=16 "
                + "SegmentEnd=17 Copies=18 Earlier=19",
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

    [Fact]
    public void A_record_with_a_trace_context_of_the_third_version_can_be_read()
    {
        // As above without an id; the further fields are 1, the trace context "t".
        byte[] payload = [0, 0x80, 3, 7, 0xE8, 7, 0xE8, 7, 5, 2, 1, 1, (byte)'t', (byte)'h', (byte)'i'];

        var message = MessageRecord.Read(payload, out _);

        Assert.Equal(("t", 2), (message.Details?.TraceParent, message.BodyLength));
        Assert.Null(message.Key);
        Assert.Null(message.Headers);
    }

    [Fact]
    public void Key_and_headers_keep_their_place_in_a_record()
    {
        // The further fields are 7: trace context, key "k", headers of five bytes.
        byte[] payload =
        [
            0, 0x80, 3, 7, 0xE8, 7, 0xE8, 7, 5, 2, 7, 1, (byte)'t', 1, (byte)'k', 5, 1, (byte)'a', 0, 1, (byte)'v', (byte)'h', (byte)'i',
        ];

        var message = MessageRecord.Read(payload, out _);
        var written = new byte[MessageRecord.BytesMax(message)];
        var writer = new SpanWriter(written);
        MessageRecord.Write(ref writer, 3, message, "hi"u8);

        Assert.Equal(("t", "k", "a=v", 2), (message.Details?.TraceParent, message.Key, message.Headers?.ToString(), message.BodyLength));
        Assert.Equal(payload, written[..writer.Written]);
    }

    [Fact]
    public async Task A_folder_of_the_second_version_opens_and_continues_in_the_current_one()
    {
        // Written by a server of version 2 that was killed: puts of first, second and third, a take of first, a batch of 1 and 2.
        const string Segment = "tVEBACwAAACn9PSqAgEAJGYwYTZmNjk1LWY2ZTItNDk1OS1iNTY2LWIxODA5MGJjNzc0N5UoTGy1UQEALAAAAKf09KoCAQAkZjBhNmY2OTUt"
            + "ZjZlMi00OTU5LWI1NjYtYjE4MDkwYmM3NzQ3lShMbPk9DG8DAAAA3YL6CwEBAfk9DTcAAAAAwwmlffk9DG8DAAAA3YL6CwEBAfk9DTcAAAAAwwmlffk9CqlC"
            + "AAAAAzJ7FgEGb3JkZXJzCGI4Y2I1YjljAQEBAAIAA4DGho8BBAUFAAYABwAIAAkACgALkE4MgPiCrRYNAQAIAAAAAAAAAAABAPk9AgIXAAAAIhrF7wAAAQGU"
            + "/KPlojSU/KPlojQAAmZpcnN0+T0C0BgAAACTNjMuAAABAu/8o+WiNO/8o+WiNAACc2Vjb25k+T0CxhkAAACif5SRAQABA8qBpOWiNMqBpOWiNAACAWN0aGly"
            + "ZPk9BRQDAAAAroK+TQEBAfk9A3MBAAAAvTHN3AL5PQJaEwAAADRAj54AAAEE14Kk5aI014Kk5aI0AAEx+T0CWhMAAAA+vtN/AAABBdeCpOWiNNeCpOWiNAAB"
            + "Mvk9BFoBAAAAv+TqywI=";
        using var folder = new TemporaryDirectory();
        await File.WriteAllBytesAsync(folder.File("segment-0000000001.log"), Convert.FromBase64String(Segment), CancellationToken.None);
        using var log = new VerifyingLogger();
        string[] expected = ["second", "third", "1", "2"];

        for (var start = 0; start < 2; start++)
        {
            await using var store = new EmbeddedMessageStore(
                new EmbeddedStoreOptions { DataDirectory = folder.Path, Durability = Durability.Memory }, TimeProvider.System, log);
            await store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
            var page = await store.BrowseAsync(QueueName.Parse("orders"), MessageState.Ready, after: null, limit: 10).WithTimeout();

            Assert.Equal(expected, page.Value.Messages.Select(message => Encoding.UTF8.GetString(message.Body.Span)));
        }

        Assert.DoesNotContain(log.Entries, entry => entry.Level >= LogLevel.Warning);
    }

    private static string Numbers<T>()
        where T : struct, Enum =>
        string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToInt32(value)}"));
}
