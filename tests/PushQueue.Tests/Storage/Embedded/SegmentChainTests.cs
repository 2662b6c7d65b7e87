using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>
/// Segments know their store, their number and their neighbours: files that do not belong are left alone, what is missing is reported.
/// </summary>
public sealed class SegmentChainTests : IClassFixture<LogFolder>, IDisposable
{
    private readonly LogFolder _original;
    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();

    public SegmentChainTests(LogFolder original)
    {
        _original = original;
        LogFolder.Copy(original.Crashed, _directory.Path);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task An_untouched_folder_opens_without_a_word_after_a_crash_and_after_a_stop()
    {
        Assert.True(Segments.Count >= 6, $"{Segments.Count} segments");

        await AllIsServedAsync();
        using var stopped = new TemporaryDirectory();
        LogFolder.Copy(_original.Stopped, stopped.Path);
        Assert.Equal(_original.Live.Order(), (await LogFolder.ReadAsync(stopped.Path, _log)).Order());

        Assert.DoesNotContain(_log.Entries, entry => entry.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_copy_of_a_segment_under_another_number_is_left_alone()
    {
        var copy = _directory.File(Segment.FileName(Segments.Count + 3));
        File.Copy(Segments[0], copy);

        await AllIsServedAsync();

        ItIsNamedAndStays(copy, new FileInfo(Segments[0]).Length);
    }

    [Fact]
    public async Task Swapped_segments_are_read_by_their_headers()
    {
        var (two, four) = (Segments[1], Segments[3]);
        File.Move(two, _directory.File("aside"));
        File.Move(four, two);
        File.Move(_directory.File("aside"), four);

        await AllIsServedAsync();

        Assert.Equal(2, _log.Entries.Count(entry => entry.Text.Contains("another name", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("segment-7.log")]
    [InlineData("segment-20261130.log")]
    [InlineData("segment-2147483647.log")]
    [InlineData("segment-9999999999.log")]
    [InlineData("segment-0000000044.log")]
    [InlineData("segment-0000000044.log.bak")]
    [InlineData("segment-00000000a4.log")]
    public async Task Junk_with_the_name_of_a_segment_is_named_and_left_alone(string name)
    {
        const string Text = "This file is not a segment of a log.";
        var junk = _directory.File(name);
        await File.WriteAllTextAsync(junk, Text, CancellationToken.None);
        _log.ExpectError(name);
        var before = GC.GetTotalAllocatedBytes();

        await AllIsServedAsync();

        ItIsNamedAndStays(junk, Text.Length);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 500_000_000);
        _log.Verify();
    }

    [Fact]
    public async Task Folders_and_links_with_the_name_of_a_segment_are_named_and_left_alone()
    {
        var next = Segments.Count + 1;
        var folder = Directory.CreateDirectory(_directory.File(Segment.FileName(next)));
        var link = File.CreateSymbolicLink(_directory.File(Segment.FileName(next + 1)), Segments[0]);
        var dangling = File.CreateSymbolicLink(_directory.File(Segment.FileName(next + 2)), "/nowhere");

        await AllIsServedAsync();

        Assert.All([folder, link, dangling], entry =>
            Assert.Contains(_log.Entries, line => line.Text.Contains(entry.FullName, StringComparison.Ordinal)));
        Assert.True(Path.Exists(folder.FullName) && link.LinkTarget is not null && dangling.LinkTarget is not null);
        Assert.Equal(
            Segment.FileName(next + 3), Path.GetFileName(Directory.GetFiles(_directory.Path, "segment-*").Max(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task A_segment_of_another_store_is_named_and_left_alone()
    {
        var foreign = _directory.File(Segment.FileName(Segments.Count + 1));
        File.Copy(LogFolder.Segments(_original.Foreign)[^1], foreign);

        await AllIsServedAsync();

        ItIsNamedAndStays(foreign, new FileInfo(LogFolder.Segments(_original.Foreign)[^1]).Length);
    }

    [Fact]
    public async Task A_folder_that_holds_only_segments_of_another_store_is_refused_with_a_sentence()
    {
        Segments.ForEach(File.Delete);
        LogFolder.Segments(_original.Foreign).ForEach(file => File.Copy(file, _directory.File(Path.GetFileName(file))));

        var refused = await Assert.ThrowsAsync<StoreOpenException>(() => LogFolder.OpenAsync(_directory.Path, _log)).WithTimeout();

        Assert.Contains("another store", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dropped_segment_that_an_operator_copies_back_brings_no_message_back()
    {
        var kept = _directory.File("kept");
        File.Copy(Segments[0], kept);
        var first = Segments[0];
        await using (var store = await LogFolder.OpenAsync(_directory.Path, _log))
        {
            foreach (var info in (await store.ListQueuesAsync(null, 100).WithTimeout()).Queues)
            {
                await store.TakeAsync(info.Name, 1000, int.MaxValue).WithTimeout();
            }

            await LogFolder.PutAsync(
                store, QueueName.Parse("queue0"), [.. Enumerable.Range(0, 100).Select(i => $"<new {i} {new string('y', 100)}>")]);
            await Eventually.TrueAsync(() => Task.FromResult(!File.Exists(first)), "the first segment is dropped");
        }

        await LogFolder.ReadAsync(_directory.Path, _log);
        File.Copy(kept, first);

        var found = await LogFolder.ReadAsync(_directory.Path, _log);

        Assert.DoesNotContain(found, _original.Live.Contains);
        Assert.Equal(100, found.Count);
        Assert.Contains(_log.Entries, entry => entry.Text.Contains(first, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_segment_whose_drop_is_recorded_is_deleted_by_the_next_start()
    {
        var first = Segments[0];
        var kept = _directory.File("kept");
        File.Copy(first, kept);
        await using (var store = await LogFolder.OpenAsync(_directory.Path, _log))
        {
            foreach (var info in (await store.ListQueuesAsync(null, 100).WithTimeout()).Queues)
            {
                await store.TakeAsync(info.Name, 1000, int.MaxValue).WithTimeout();
            }

            await Eventually.TrueAsync(() => Task.FromResult(!File.Exists(first)), "the first segment is dropped");
        }

        File.Copy(kept, first);
        var found = await LogFolder.ReadAsync(_directory.Path, _log);

        Assert.Empty(found);
        Assert.False(File.Exists(first));
        Assert.Contains(_log.Entries, entry => entry.Text.Contains(first, StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Entries, entry => entry.Level >= LogLevel.Warning);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_last_segment_that_is_missing_or_empty_is_reported(bool emptied)
    {
        var last = Segments[^1];
        var lost = BodiesIn(last);
        File.Delete(last);
        if (emptied)
        {
            await File.WriteAllBytesAsync(last, [], CancellationToken.None);
        }

        await OnlyIsLostAsync(lost, last, "missing");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_middle_segment_that_is_missing_or_empty_is_reported_with_its_messages(bool emptied)
    {
        var middle = Segments[2];
        var lost = BodiesIn(middle);
        File.Delete(middle);
        if (emptied)
        {
            await File.WriteAllBytesAsync(middle, [], CancellationToken.None);
        }

        await OnlyIsLostAsync(lost, middle, $"with {lost.Count} messages");
    }

    [Fact]
    public async Task Missing_segments_in_a_row_are_reported_each_with_its_messages()
    {
        string[] missing = [Segments[2], Segments[3]];
        var lost = missing.Select(file => (File: file, Bodies: BodiesIn(file))).ToList();
        Array.ForEach(missing, File.Delete);
        _log.ExpectError("missing");

        var served = await LogFolder.ReadAsync(_directory.Path, _log);

        Assert.Empty(_original.Live.Except(lost.SelectMany(segment => segment.Bodies)).Except(served));
        Assert.All(lost, segment => Assert.Single(_log.Entries, entry =>
            entry.Text.Contains(segment.File, StringComparison.Ordinal)
            && entry.Text.Contains($"with {segment.Bodies.Count} messages", StringComparison.Ordinal)));
        _log.Verify();
    }

    [Fact]
    public async Task A_missing_segment_that_comes_back_is_served_again()
    {
        var middle = Segments[2];
        File.Move(middle, _directory.File("aside"));
        _log.ExpectError("missing");
        var snapshots = Snapshots();
        await using (await LogFolder.OpenAsync(_directory.Path, _log))
        {
            // A store remembers from its snapshot what was missing.
            await Eventually.TrueAsync(() => Snapshots() > snapshots, "the start has written a snapshot");
        }

        File.Move(_directory.File("aside"), middle);

        await AllIsServedAsync();

        Assert.Single(_log.Entries, entry => entry.Text.Contains("is back", StringComparison.Ordinal));
        _log.Verify();
    }

    [Fact]
    public async Task A_middle_segment_cut_at_any_records_end_is_reported_with_what_is_lost_and_keeps_what_is_left_of_a_batch()
    {
        var middle = Segments[2];
        var original = await File.ReadAllBytesAsync(middle, CancellationToken.None);
        var records = LogFolder.RecordsIn(original);
        for (var i = 2; i < records.Count - 1; i++)
        {
            using var copy = new TemporaryDirectory();
            using var log = new VerifyingLogger();
            LogFolder.Copy(_original.Crashed, copy.Path);
            var file = copy.File(Path.GetFileName(middle));
            await File.WriteAllBytesAsync(file, original[..records[i].Offset], CancellationToken.None);
            var lost = BodiesIn(middle).Except(BodiesIn(file)).ToList();

            var served = await LogFolder.ReadAsync(copy.Path, log);

            Assert.Empty(_original.Live.Except(lost).Except(served));
            var report = Assert.Single(log.Entries, entry => entry.Level == LogLevel.Error).Text;
            Assert.Contains(
                $"{file} lacks its end from byte {records[i].Offset} to byte {records[^1].Offset}: about "
                    + $"{records.Skip(i).Count(record => record.Type == RecordType.Message)} messages",
                report,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task After_an_orderly_stop_a_last_segment_cut_at_a_records_end_is_reported()
    {
        using var stopped = new TemporaryDirectory();
        LogFolder.Copy(_original.Stopped, stopped.Path);
        var last = LogFolder.Segments(stopped.Path)[^1];
        var bytes = await File.ReadAllBytesAsync(last, CancellationToken.None);
        var cut = LogFolder.RecordsIn(bytes)[^2].Offset;
        await File.WriteAllBytesAsync(last, bytes[..cut], CancellationToken.None);
        _log.ExpectError(last);

        await using var store = await LogFolder.OpenAsync(stopped.Path, _log);

        Assert.Single(_log.Entries, entry => entry.Level == LogLevel.Error);
        Assert.Equal(1, store.Damage!.Places);
        Assert.Contains(Path.GetFileName(last), store.Damage.Latest, StringComparison.Ordinal);
        _log.Verify();
    }

    [Fact]
    public async Task A_folder_whose_segments_are_all_missing_is_reported()
    {
        Segments.ForEach(File.Delete);
        _log.ExpectError("missing");

        Assert.Empty(await LogFolder.ReadAsync(_directory.Path, _log));

        Assert.Single(_log.Entries, entry => entry.Level == LogLevel.Error);
        _log.Verify();
    }

    private List<string> Segments => LogFolder.Segments(_directory.Path);

    private List<string> BodiesIn(string file)
    {
        var bytes = File.ReadAllBytes(file);
        return [.. _original.Live.Where(body => bytes.AsSpan().IndexOf(_original.RecordOf(body)) >= 0)];
    }

    private int Snapshots() => LogFolder.Segments(_directory.Path)
        .Sum(static file => LogFolder.RecordsIn(File.ReadAllBytes(file)).Count(static record => record.Type == RecordType.SnapshotEnd));

    private async Task AllIsServedAsync() =>
        Assert.Equal(_original.Live.Order(), (await LogFolder.ReadAsync(_directory.Path, _log)).Order());

    private async Task OnlyIsLostAsync(IReadOnlyList<string> lost, string file, string report)
    {
        _log.ExpectError(file);

        var served = await LogFolder.ReadAsync(_directory.Path, _log);

        Assert.NotEmpty(lost);
        Assert.Empty(_original.Live.Except(lost).Except(served));
        Assert.DoesNotContain(served, lost.Contains);
        Assert.Contains(report, Assert.Single(_log.Entries, entry => entry.Level == LogLevel.Error).Text, StringComparison.Ordinal);
        _log.Verify();
    }

    private void ItIsNamedAndStays(string file, long length)
    {
        Assert.Contains(_log.Entries, entry => entry.Level >= LogLevel.Warning && entry.Text.Contains(file, StringComparison.Ordinal));
        Assert.Equal(length, new FileInfo(file).Length);
    }
}
