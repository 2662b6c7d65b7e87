using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>The zeros that a synced log keeps ahead of its end.</summary>
public sealed partial class RecoveryTests
{
    private const int Room = 4096;

    [Fact]
    public async Task Room_ahead_is_no_damage()
    {
        var crashed = await WriteWithRoomAndCrashAsync();
        var segment = Segments(crashed)[^1];
        var end = EndOfRecords(segment);
        Assert.True(new FileInfo(segment).Length > end);
        using var log = new VerifyingLogger();

        // Looked at rather than taken: a segment with nothing live in it would go.
        var page = await RecoverAsync(
            crashed, async store => await store.BrowseAsync(Queue, MessageState.Ready, after: null, limit: 10), log);

        Assert.Equal(["message 0", "message 1", "message 2", "message 3"], page.Value.Messages.Select(BodyOf));
        Assert.DoesNotContain(log.Entries, entry => entry.Level >= LogLevel.Warning);
        var last = RecordsIn(segment)[^1];
        Assert.Equal((end, RecordType.SegmentEnd), (last.Offset, last.Type));
    }

    [Fact]
    public async Task A_record_torn_at_any_byte_inside_the_room_costs_no_whole_one_and_is_reported()
    {
        var ends = new List<long>();
        var crashed = await WriteWithRoomAndCrashAsync(ends);

        for (var cut = ends[1]; cut < ends[^1]; cut++)
        {
            using var copy = CopyOf(crashed);
            var segment = Segments(copy.Path)[^1];
            Zero(segment, cut);

            // A record may begin with a byte that is zero: of one cut there nothing is left to be seen.
            var somethingTorn = !ends.Contains(EndOfRecords(segment));
            using var log = new VerifyingLogger();
            var taken = await RecoverAsync(copy.Path, TakeAllAsync, log);

            Assert.InRange(taken.Count, ends.Count(end => end <= cut), ends.Count - 1);
            Assert.Equal(Enumerable.Range(0, taken.Count).Select(i => $"message {i}"), taken);
            Assert.Equal(somethingTorn, log.Entries.Any(entry => entry.Level >= LogLevel.Warning));
        }
    }

    [Fact]
    public async Task A_sealed_segment_and_an_orderly_stop_leave_no_room()
    {
        var path = _directory.File("log");
        await using (var store = await OpenAsync(path, segmentBytes: 2000, roomAheadBytes: Room))
        {
            for (var i = 0; i < 40; i++)
            {
                await PutAsync(store, $"message {i} {new string('x', 100)}");
            }
        }

        Assert.All(Segments(path), segment => Assert.InRange(new FileInfo(segment).Length - EndOfRecords(segment), 0, 8));
    }

    private async Task<string> WriteWithRoomAndCrashAsync(List<long>? ends = null)
    {
        var live = _directory.File("live");
        await using var store = await OpenAsync(live, roomAheadBytes: Room);
        await FirstSnapshotAsync(live);
        for (var i = 0; i < 4; i++)
        {
            await PutAsync(store, $"message {i}");
            ends?.Add(EndOfRecords(Segments(live)[^1]));
        }

        var crashed = _directory.File("crashed");
        CopyFolder(live, crashed);
        return crashed;
    }

    /// <summary>The position of the last byte other than zero; the records here end in text.</summary>
    private static long EndOfRecords(string segment) => File.ReadAllBytes(segment).AsSpan().LastIndexOfAnyExcept((byte)0) + 1;

    private static void Zero(string file, long from)
    {
        using var stream = File.OpenWrite(file);
        stream.Position = from;
        stream.Write(new byte[stream.Length - from]);
    }
}
