using PushQueue.SystemTests.History.Judging;
using Xunit;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>
/// A reader of many queues passes over the repetitions behind a reconnect; each planted fault reaches the judge and is found.
/// </summary>
public sealed class ManyPlaceTests
{
    private const string Queue = "q";

    [Theory]
    [InlineData("1 2 3", "")]
    [InlineData("1 2 | 3", "")]
    [InlineData("1 2 | 1 2 3", "")]
    [InlineData("1 g2 | g1-2 3", "")]
    [InlineData("1 2 | g1-3", "")]
    [InlineData("1 3", "Hole")]
    [InlineData("1 2 | 4", "Hole")]
    [InlineData("1 2 | 1 4", "Hole")]
    [InlineData("1 2 | g4-5", "Hole")]
    [InlineData("1 2 2 3", "Duplicated")]
    [InlineData("1 2 1 3", "Reordered")]
    [InlineData("1 2 | 3 2 4", "Reordered")]
    [InlineData("1 2 | 3 3", "Duplicated")]
    public void A_repetition_behind_a_reconnect_is_allowed_and_nothing_else(string came, string finding)
    {
        var place = new ManyPlace(Queue);
        place.OnJoined("e");
        List<HistoryEvent> history = [];
        foreach (var what in came.Split(' '))
        {
            if (what == "|")
            {
                place.OnJoined("e");
            }
            else if (what.StartsWith('g'))
            {
                var range = what[1..].Split('-').Select(long.Parse).ToArray();
                history.AddRange(place.NewOf(new GapTold(Queue, "c", "expired", range[0], range[^1], range[^1] - range[0] + 1)) is { } gap
                    ? [gap]
                    : []);
            }
            else if (place.IsNew(long.Parse(what)))
            {
                history.Add(new Arrived(Queue, "c", 1, $"p-{what}", 0, long.Parse(what), place.Epoch));
            }
        }

        // Another reader has everything, so that only the place of this one can be wrong.
        var puts = Enumerable.Range(1, 5).SelectMany(number => (HistoryEvent[])[
            new PutTried(Queue, $"p-{number}"), new PutStored(Queue, $"p-{number}")]);
        var others = Enumerable.Range(1, 5).Select(number => new Arrived(Queue, "d", 2, $"p-{number}", 0, number, "e"));
        var end = new FoundLeft(Queue, 0, 0, 0, "e", 6);
        var kinds = Verdict.Judge([.. puts, .. others, .. history, end], new Dictionary<string, Promise> { [Queue] = Promise.Broadcast })
            .Where(found => found.Kind != FindingKind.Stuck).Select(found => $"{found.Kind}");

        Assert.Equal(finding.Length == 0 ? [] : [finding], kinds);
    }
}
