using System.Globalization;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>
/// Spoils copies of a data folder at random (flips, cuts, copies, swaps, renames, deletions, foreign files) and opens them. Undamaged
/// messages are served, missing ones are reported, files that do not belong stay, the store goes on working, and memory stays bounded. A
/// failure prints its seed; PUSHQUEUE_TEST_SEED replays it, PUSHQUEUE_TEST_SEQUENCES runs more.
/// </summary>
public sealed class DataFolderMutationTests(LogFolder original) : IClassFixture<LogFolder>
{
    private const long AllocatedBytesMax = 500_000_000;

    private static readonly QueueName Probe = QueueName.Parse("probe");

    [Fact]
    public async Task A_spoiled_folder_serves_what_is_whole_and_reports_what_is_missing()
    {
        var seed = FromEnvironment("PUSHQUEUE_TEST_SEED");
        var (first, count) = seed is { } one ? (one, 1) : (1, FromEnvironment("PUSHQUEUE_TEST_SEQUENCES") ?? 300);

        for (var next = first; next < first + count; next++)
        {
            var mutator = new DataFolderMutator(next, original);
            try
            {
                await TryAsync(mutator);
            }
            catch (Exception exception)
            {
                Assert.Fail($"Seed {next} (replay it with PUSHQUEUE_TEST_SEED={next}): {mutator}\n{exception}");
            }
        }
    }

    private async Task TryAsync(DataFolderMutator mutator)
    {
        using var folder = new TemporaryDirectory();
        using var log = new VerifyingLogger();
        LogFolder.Copy(mutator.Source, folder.Path);
        mutator.Spoil(folder.Path);
        var view = new SpoiledFolder(folder.Path, original);
        var allocated = GC.GetTotalAllocatedBytes();

        List<string> served;
        try
        {
            await using var store = await LogFolder.OpenAsync(folder.Path, log);
            served = await LogFolder.ReadAsync(store);
            await LogFolder.PutAsync(store, Probe, "<probe>");
        }
        catch (StoreOpenException refused) when (view.HasOnlyForeignSegments)
        {
            Assert.EndsWith(".", refused.Message, StringComparison.Ordinal);
            return;
        }

        Assert.Equal(served.Distinct(), served);
        Assert.All(served, body => Assert.True(original.Live.Contains(body) || original.Taken.Contains(body), $"{body} was never put"));
        var lost = original.Live.Except(served).ToList();
        var wholeAndLost = view.Whole.Intersect(lost).ToList();
        Assert.True(wholeAndLost.Count == 0 || mutator.MayBeTorn(wholeAndLost), $"whole and lost: {string.Join(", ", wholeAndLost)}");
        var isReported = log.Entries.Any(static entry => entry.Level >= LogLevel.Error);
        Assert.True(lost.Count == 0 || isReported || mutator.MayBeTorn(lost), $"lost in silence: {string.Join(", ", lost)}");
        Assert.All(view.Strangers, file => Assert.Contains(log.Entries, entry => entry.Text.Contains(file, StringComparison.Ordinal)));
        Assert.All(view.Strangers, file => Assert.True(Path.Exists(file) || new FileInfo(file).LinkTarget is not null, $"{file} is gone"));

        var again = await LogFolder.ReadAsync(folder.Path, log);
        Assert.Equal([.. served.Append("<probe>").Order()], again.Order());
        Assert.InRange(GC.GetTotalAllocatedBytes() - allocated, 0, AllocatedBytesMax);
    }

    private static int? FromEnvironment(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
