using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using Xunit;

namespace PushQueue.Tests.Delivery;

public sealed class SetCursorTests
{
    private static readonly QueueName[] Queues = [.. Enumerable.Range(0, 1000).Select(static i => QueueName.Parse($"orders.customer-{i}"))];

    [Fact]
    public void Every_position_comes_back_and_an_unknown_queue_has_none()
    {
        SetPosition[] positions =
        [
            SetPosition.Of("9734a72f", 17), SetPosition.Of("ffffffff", long.MaxValue >> 2), SetPosition.First, SetPosition.Of("", 5),
                SetPosition.Earliest,
        ];

        var text = SetCursor.Encode(42, [.. positions.Select(static (position, i) => (SetCursor.HashOf(Queues[i]), position))]);

        Assert.True(SetCursor.TryParse(text, out var cursor));
        Assert.Equal(42u, cursor!.Selection);
        Assert.Equal(positions, positions.Select((_, i) => Assert.Single(cursor.PositionsOf(Queues[i]))));
        Assert.Empty(cursor.PositionsOf(Queues[10]));
    }

    [Fact]
    public void A_cursor_over_a_thousand_queues_fits_into_a_header()
    {
        var text = Encode();

        Assert.True(text.Length < 14_000, $"It has {text.Length} characters.");
    }

    [Fact]
    public void A_cursor_that_is_cut_anywhere_or_has_any_other_character_is_refused()
    {
        var text = Encode()[..0] + SetCursor.Encode(7, [(1, SetPosition.Of("9734a72f", 300)), (2, SetPosition.First)]);

        for (var i = 0; i < text.Length; i++)
        {
            Assert.False(SetCursor.TryParse(text[..i], out _));
            foreach (var other in "AZaz09-_.=%")
            {
                Assert.True(other == text[i] || !SetCursor.TryParse(text[..i] + other + text[(i + 1)..], out var cursor) || cursor is null);
            }
        }
    }

    [Fact]
    public void A_cursor_has_no_more_positions_than_a_stream_can_have()
    {
        Assert.True(SetCursor.TryParse(Encode(SetCursor.PositionsMax), out _));
        Assert.False(SetCursor.TryParse(Encode(SetCursor.PositionsMax + 1), out _));

        static string Encode(int positions) => SetCursor.Encode(7, [.. Enumerable.Range(0, positions).Select(i => (i, SetPosition.First))]);
    }

    [Fact]
    public void Names_in_another_order_are_the_same_selection_and_other_names_another_one()
    {
        var one = QueueSelection.Create(["a", "b"], ["x.*"], out _)!;

        Assert.Equal(one.Id, QueueSelection.Create(["b", "a"], ["x.*"], out _)!.Id);
        Assert.NotEqual(one.Id, QueueSelection.Create(["a"], ["b", "x.*"], out _)!.Id);
        Assert.NotEqual(one.Id, QueueSelection.Create(["a", "b"], [], out _)!.Id);
    }

    [Fact]
    public void The_index_finds_the_patterns_that_match_and_forgets_those_that_are_removed()
    {
        var index = new PatternIndex<string>();
        foreach (var pattern in new[] { "*", "orders.*", "orders.*.eu", "*.eu", "orders.x", "a*" })
        {
            index.Add(pattern, pattern);
        }

        Assert.Equal(["*", "*.eu", "orders.*", "orders.*.eu"], index.Find("orders.7.eu").Order(StringComparer.Ordinal));
        Assert.Equal(["*", "orders.*", "orders.x"], index.Find("orders.x").Order(StringComparer.Ordinal));
        index.Remove("*", "*");
        index.Remove("orders.*", "orders.*");
        Assert.Equal(["orders.x"], index.Find("orders.x"));
        Assert.Empty(index.Find("b"));
    }

    private static string Encode() => SetCursor.Encode(
        1, [.. Queues.Select(static (queue, i) => (SetCursor.HashOf(queue), SetPosition.Of("9734a72f", 1000 + (i * 37))))]);
}
