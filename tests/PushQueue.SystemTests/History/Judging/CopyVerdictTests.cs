using Xunit;

namespace PushQueue.SystemTests.History.Judging;

/// <summary>The verdict finds each planted fault of a queue subscription, and nothing in a history without faults.</summary>
public sealed class CopyVerdictTests
{
    private static readonly HistoryEvent[] Ends = [new FoundLeft("source", 0, 0, 0), new FoundLeft("copy", 0, 0, 0)];
    private static readonly HistoryEvent[] Off = [new SubscriptionSent("copy", false), new SubscriptionConfirmed("copy", false)];
    private static readonly HistoryEvent[] On = [new SubscriptionSent("copy", true), new SubscriptionConfirmed("copy", true)];

    private static HistoryEvent[] Puts(params string[] keys) =>
        [.. keys.SelectMany(key => (HistoryEvent[])[new PutTried("source", key), new PutStored("source", key)])];

    /// <summary>All messages come in the source, once.</summary>
    private static HistoryEvent[] Source(params string[] keys) => [.. keys.Select(key => new Arrived("source", "s", 1, key, 1))];

    private static HistoryEvent[] Copied(params string[] keys) => [.. keys.Select(key => new Arrived("copy", "c", 2, key, 1))];

    private static FindingKind[] Judge(params IEnumerable<HistoryEvent>[] parts) =>
        [
            .. Verdict.Judge(
                [.. parts.SelectMany(part => part), .. Ends],
                new Dictionary<string, Promise> { ["source"] = Promise.Taken, ["copy"] = Promise.Taken },
                new CopyRule("source", "copy", static id => MessageKeys.ParityOf(id) == "odd")).Select(finding => finding.Kind)
        ];

    [Fact]
    public void Copies_of_all_that_the_filter_wants_are_fine() =>
        Assert.Empty(Judge(Puts("p-1", "p-2", "p-3"), Source("p-1", "p-2", "p-3"), Copied("p-1", "p-3")));

    [Fact]
    public void A_copy_that_is_missing_is_lost() =>
        Assert.Equal([FindingKind.Lost], Judge(Puts("p-1", "p-2", "p-3"), Source("p-1", "p-2", "p-3"), Copied("p-1")));

    [Fact]
    public void A_copy_without_its_message_is_lost_in_the_source() =>
        Assert.Equal([FindingKind.Lost], Judge(Puts("p-1"), Copied("p-1")));

    [Fact]
    public void A_second_copy_is_a_duplicate() =>
        Assert.Equal([FindingKind.Duplicated], Judge(Puts("p-1"), Source("p-1"), Copied("p-1", "p-1")));

    [Fact]
    public void Copies_out_of_order_are_reordered() =>
        Assert.Equal([FindingKind.Reordered], Judge(Puts("p-1", "p-3"), Source("p-1", "p-3"), Copied("p-3", "p-1")));

    [Fact]
    public void A_copy_that_the_filter_does_not_want_is_unexplained() =>
        Assert.Equal([FindingKind.Unexplained], Judge(Puts("p-2"), Source("p-2"), Copied("p-2")));

    [Fact]
    public void A_copy_of_what_was_put_without_a_subscription_is_unexplained() =>
        Assert.Equal([FindingKind.Unexplained], Judge(Off, Puts("p-1"), On, Source("p-1"), Copied("p-1")));

    [Fact]
    public void What_was_put_without_a_subscription_has_no_copy_and_what_was_put_behind_it_has() =>
        Assert.Equal([FindingKind.Lost], Judge(Off, Puts("p-1"), On, Puts("p-3", "p-5"), Source("p-1", "p-3", "p-5"), Copied("p-5")));

    [Fact]
    public void A_put_during_a_change_may_have_a_copy_or_not()
    {
        HistoryEvent[][] during =
        [
            [.. Off[..1], .. Puts("p-1"), .. Off[1..]],
            [new PutTried("source", "p-1"), .. Off, new PutStored("source", "p-1")],
            [new PutTried("source", "p-1"), .. Off, .. On, new PutStored("source", "p-1")],
            [.. Off, new PutTried("source", "p-1"), .. On, new PutStored("source", "p-1")],
        ];

        Assert.All(during, puts => Assert.Empty(Judge(puts, Source("p-1"))));
        Assert.All(during, puts => Assert.Empty(Judge(puts, Source("p-1"), Copied("p-1"))));
    }
}
