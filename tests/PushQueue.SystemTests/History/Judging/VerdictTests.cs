using Xunit;

namespace PushQueue.SystemTests.History.Judging;

/// <summary>A checker that does not find what was planted is worth nothing: each promise is kept once and broken in every way.</summary>
public sealed class VerdictTests
{
    private const string Queue = "q";

    private static readonly HistoryEvent Empty = new FoundLeft(Queue, 0, 0, 0);

    private static HistoryEvent[] Puts(params string[] keys) =>
        [.. keys.SelectMany(key => (HistoryEvent[])[new PutTried(Queue, key), new PutStored(Queue, key)])];

    private static HistoryEvent On(int connection, string consumer = "c") => new Connecting(Queue, consumer, connection);

    private static Arrived Came(string key, int connection = 1, int attempt = 1, string consumer = "c") =>
        new(Queue, consumer, connection, key, attempt);

    /// <summary>A message with a lease of its own, always the same one.</summary>
    private static Arrived Held(string key, int connection, int attempt = 1, string consumer = "c") =>
        new(Queue, consumer, connection, key, attempt, Receipt: $"of {key}");

    /// <summary>A connection of one that has a place.</summary>
    private static HistoryEvent[] At(int connection, string token = "t", int resumed = 0) =>
        [On(connection), new PlaceTold(Queue, "c", connection, token, resumed)];

    private static Arrived Sent(string key, long offset, string consumer = "c", string epoch = "e") =>
        new(Queue, consumer, 1, key, 0, offset, epoch);

    private static HistoryEvent[] Done(string key, int attempt = 1) => [new AckSent(Queue, key), new AckConfirmed(Queue, key, attempt)];

    private static HistoryEvent End(long next, string epoch = "e") => new FoundLeft(Queue, 0, 0, 0, epoch, next);

    private static FindingKind[] Judge(Promise promise, params IEnumerable<HistoryEvent>[] parts) =>
        [
            .. Verdict.Judge(
                [.. parts.SelectMany(part => part)],
                new Dictionary<string,
                Promise> { [Queue] = promise }).Select(finding => finding.Kind)
        ];

    [Fact]
    public void Acked_everything_that_came_and_was_acked_is_fine() =>
        Assert.Empty(Judge(Promise.Acked, Puts("p-1", "p-2"), [On(1), Came("p-1"), Came("p-2")], Done("p-1"), Done("p-2"), [Empty]));

    [Fact]
    public void Acked_a_message_that_comes_again_before_its_ack_is_fine() =>
        Assert.Empty(Judge(Promise.Acked, Puts("p-1"), [On(1), Came("p-1"), On(2), Came("p-1", 2, 2)], Done("p-1", 2), [Empty]));

    [Fact]
    public void Acked_a_frame_of_an_earlier_lease_that_is_read_late_is_fine() =>
        Assert.Empty(Judge(Promise.Acked, Puts("p-1"), [On(1), On(2), Came("p-1", 2, 2)], Done("p-1", 2), [Came("p-1", 1, 1), Empty]));

    [Fact]
    public void Ordered_a_message_that_comes_after_the_ack_or_death_of_its_predecessor_is_fine()
    {
        Assert.Empty(Judge(Promise.Ordered, Puts("p-1", "p-9"), [On(1), Came("p-1")], Done("p-1"), [Came("p-9")], Done("p-9"), [Empty]));
        Assert.Empty(Judge(
            Promise.Ordered, Puts("p-1", "p-9"), [On(1), Came("p-1"), Came("p-9")], Done("p-9"), [new FoundDead(Queue, "p-1"), Empty]));
    }

    [Fact]
    public void Ordered_messages_of_different_keys_do_not_wait_for_each_other() => Assert.Empty(Judge(
        Promise.Ordered,
        Puts("p-1", "p-2", "q-9"),
        [On(1), Came("q-9"), Came("p-2"), Came("p-1")],
        Done("p-1"),
        Done("p-2"),
        Done("q-9"),
        [Empty]));

    [Fact]
    public void Ordered_a_message_that_passes_another_of_its_key_or_comes_beside_it_is_reordered()
    {
        Assert.Equal(
            [FindingKind.Reordered],
            Judge(Promise.Ordered, Puts("p-1", "p-9"), [On(1), Came("p-9")], Done("p-9"), [Came("p-1")], Done("p-1"), [Empty]));
        Assert.Equal(
            [FindingKind.Reordered],
            Judge(
                Promise.Ordered,
                Puts("p-1", "p-9"),
                [On(1), On(2, "d"), Came("p-1"), Came("p-9", 2, consumer: "d")],
                Done("p-1"),
                Done("p-9"),
                [Empty]));
    }

    [Fact]
    public void Acked_a_put_without_an_answer_may_come_or_not() =>
        Assert.Empty(
            Judge(Promise.Acked, [new PutTried(Queue, "p-1"), new PutTried(Queue, "p-2"), On(1), Came("p-2")], Done("p-2"), [Empty]));

    [Fact]
    public void Acked_a_message_that_never_comes_is_lost() =>
        Assert.Equal([FindingKind.Lost], Judge(Promise.Acked, Puts("p-1", "p-2"), [On(1), Came("p-1")], Done("p-1"), [Empty]));

    [Fact]
    public void Acked_a_message_that_is_gone_though_nobody_acked_it_is_lost() =>
        Assert.Equal([FindingKind.Lost], Judge(Promise.Acked, Puts("p-1"), [On(1), Came("p-1"), Empty]));

    [Fact]
    public void Acked_a_dead_letter_is_not_lost_but_must_not_have_been_acked()
    {
        HistoryEvent dead = new FoundDead(Queue, "p-1");
        Assert.Empty(Judge(Promise.Acked, Puts("p-1"), [On(1), Came("p-1"), dead, Empty]));
        Assert.Equal([FindingKind.Duplicated], Judge(Promise.Acked, Puts("p-1"), [On(1), Came("p-1")], Done("p-1"), [dead, Empty]));
        Assert.Equal([FindingKind.Duplicated], Judge(Promise.Acked, Puts("p-1"), [On(1), Came("p-1"), dead, dead, Empty]));
    }

    [Fact]
    public void Acked_a_message_that_comes_again_after_its_ack_is_a_duplicate()
    {
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Acked, Puts("p-1"), [On(1), Came("p-1")], Done("p-1"), [Came("p-1", 1, 2), Empty]));
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Acked, Puts("p-1"), [On(1), Came("p-1")], Done("p-1"), [On(2), Came("p-1", 2), Empty]));
    }

    [Fact]
    public void Acked_two_answered_acks_of_one_message_are_a_duplicate() =>
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Acked, Puts("p-1"), [On(1), Came("p-1")], Done("p-1"), Done("p-1", 2), [Empty]));

    [Fact]
    public void Acked_one_lease_for_two_consumers_or_twice_on_a_connection_is_a_duplicate()
    {
        Assert.Equal(
            [FindingKind.Duplicated], Judge(
                Promise.Acked,
                Puts("p-1"),
                [On(1), On(2, "d"), Held("p-1", 1), Held("p-1", 2, consumer: "d")],
                Done("p-1"),
                [Empty]));
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Acked, Puts("p-1"), [On(1), Held("p-1", 1), Held("p-1", 1)], Done("p-1"), [Empty]));
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Acked, Puts("p-1"), [On(1), Held("p-1", 1), On(2), Held("p-1", 2)], Done("p-1"), [Empty]));
    }

    [Fact]
    public void Acked_who_takes_up_its_place_gets_its_own_again_under_the_same_lease() => Assert.Empty(Judge(
        Promise.Acked, Puts("p-1", "p-2"), At(1), [Held("p-1", 1)], At(2, resumed: 1), [
            Held("p-1", 2),
            Held("p-2", 2)
        ], Done("p-1"), Done("p-2"), [Empty]));

    [Fact]
    public void Acked_what_comes_again_to_a_place_that_is_another_one_is_a_duplicate() => Assert.Equal(
        [FindingKind.Duplicated], Judge(
            Promise.Acked,
            Puts("p-1"),
            At(1),
            [Held("p-1", 1)],
            At(2, "u", resumed: 1),
            [Held("p-1", 2)],
            Done("p-1"),
            [Empty]));

    [Fact]
    public void Acked_taking_up_a_place_is_no_attempt_and_no_more_comes_than_was_told()
    {
        Assert.Equal(
            [FindingKind.Unexplained], Judge(
                Promise.Acked,
                Puts("p-1"),
                At(1),
                [Held("p-1", 1)],
                At(2, resumed: 1),
                [Held("p-1", 2, attempt: 2)],
                Done("p-1", 2),
                [Empty]));
        Assert.Equal(
            [FindingKind.Unexplained],
            Judge(Promise.Acked, Puts("p-1"), At(1), [Held("p-1", 1)], At(2), [Held("p-1", 2)], Done("p-1"), [Empty]));
    }

    [Fact]
    public void Acked_what_was_kept_and_does_not_come_before_something_new_is_lost() => Assert.Equal(
        [FindingKind.Lost], Judge(
            Promise.Acked,
            Puts("p-1", "p-2"),
            At(1),
            [Held("p-1", 1)],
            At(2),
            [Held("p-2", 2)],
            Done("p-1"),
            Done("p-2"),
            [Empty]));

    [Fact]
    public void Acked_what_another_gets_while_it_is_kept_is_a_duplicate_only_if_the_place_is_taken_up()
    {
        HistoryEvent[] passedOn = [On(9, "d"), new Arrived(Queue, "d", 9, "p-1", 2, Receipt: "other")];
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Acked, Puts("p-1"), At(1), [Held("p-1", 1)], passedOn, At(2), Done("p-1", 2), [Empty]));
        Assert.Empty(Judge(Promise.Acked, Puts("p-1"), At(1), [Held("p-1", 1)], passedOn, At(2, "u"), Done("p-1", 2), [Empty]));
        Assert.Empty(Judge(
            Promise.Acked, Puts("p-1"), At(1), [Held("p-1", 1), new ReleaseSent(Queue, "p-1")], passedOn, At(2), Done("p-1", 2), [Empty]));
        Assert.Empty(Judge(
            Promise.Acked, Puts("p-1"), At(1), [
                Held("p-1", 1),
                new OutageBegun()
            ], passedOn, [new OutageOver()], At(2), Done("p-1", 2), [Empty]));
    }

    [Theory]
    [InlineData(nameof(Promise.Acked))]
    [InlineData(nameof(Promise.Pushed))]
    [InlineData(nameof(Promise.Taken))]
    public void What_nobody_put_is_unexplained(string promise) =>
        Assert.Equal([FindingKind.Unexplained], Judge(Enum.Parse<Promise>(promise), [On(1), Came("p-1")], Done("p-1"), [Empty]));

    [Theory]
    [InlineData(nameof(Promise.Acked))]
    [InlineData(nameof(Promise.Pushed))]
    [InlineData(nameof(Promise.Taken))]
    public void What_stays_in_the_queue_is_stuck(string promise) =>
        Assert.Equal([FindingKind.Stuck], Judge(Enum.Parse<Promise>(promise), [new FoundLeft(Queue, 0, 0, 1)]));

    [Fact]
    public void A_history_without_its_end_proves_nothing() => Assert.Equal([FindingKind.Unexplained], Judge(Promise.Pushed, []));

    [Fact]
    public void Pushed_a_message_that_never_comes_is_lost() =>
        Assert.Equal([FindingKind.Lost], Judge(Promise.Pushed, Puts("p-1", "p-2"), [On(1), Came("p-2"), new Killed(), Empty]));

    [Fact]
    public void Pushed_twice_is_allowed_across_a_death_only()
    {
        Assert.Empty(Judge(Promise.Pushed, Puts("p-1"), [On(1), Came("p-1"), new Killed(), On(2), Came("p-1", 2), Empty]));
        Assert.Empty(Judge(Promise.Pushed, Puts("p-1"), [On(1), new Killed(), Came("p-1"), On(2), Came("p-1", 2), Empty]));
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Pushed, Puts("p-1"), [On(1), On(2), Came("p-1"), Came("p-1", 2), new Killed(), Empty]));
    }

    [Fact]
    public void Pushed_twice_is_allowed_where_the_server_of_either_connection_died_and_no_other_one()
    {
        HistoryEvent[] before = [new Connecting(Queue, "c", 1, Server: 1), new Connecting(Queue, "c", 2, Server: 2)];
        Assert.Empty(Judge(Promise.Pushed, Puts("p-1"), before, [Came("p-1"), new Killed(1), Came("p-1", 2), Empty]));
        Assert.Empty(Judge(Promise.Pushed, Puts("p-1"), before, [new Killed(1), Came("p-1", 2), Came("p-1"), Empty]));
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Pushed, Puts("p-1"), before, [Came("p-1"), new Killed(0), Came("p-1", 2), Empty]));
    }

    [Fact]
    public void Pushed_twice_is_allowed_for_what_was_there_in_an_outage()
    {
        HistoryEvent[] before = [On(1), On(2)];
        Assert.Empty(Judge(Promise.Pushed, Puts("p-1"), before, [Came("p-1"), new OutageBegun(), Came("p-1", 2), new OutageOver(), Empty]));
        Assert.Empty(Judge(Promise.Pushed, Puts("p-1"), before, [new OutageBegun(), Came("p-1"), new OutageOver(), Came("p-1", 2), Empty]));
        Assert.Empty(Judge(Promise.Pushed, Puts("p-1"), before, [new OutageBegun(), new OutageOver(), Came("p-1"), Came("p-1", 2), Empty]));
        Assert.Equal(
            [FindingKind.Duplicated], Judge(
                Promise.Pushed,
                before,
                [new OutageBegun(), new OutageOver()],
                Puts("p-1"),
                [Came("p-1"), Came("p-1", 2), Empty]));
    }

    [Fact]
    public void Taken_in_order_and_once_is_fine() =>
        Assert.Empty(Judge(Promise.Taken, Puts("p-1", "r-1", "p-2"), [On(1), Came("p-1"), Came("r-1"), Came("p-2"), Empty]));

    [Fact]
    public void Taken_twice_is_a_duplicate_even_across_a_death() =>
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(Promise.Taken, Puts("p-1"), [On(1), Came("p-1"), new Killed(), On(2), Came("p-1", 2, 1, "d"), Empty]));

    [Fact]
    public void Taken_out_of_order_is_reordered() =>
        Assert.Equal([FindingKind.Reordered], Judge(Promise.Taken, Puts("p-1", "p-2"), [On(1), Came("p-2"), Came("p-1"), Empty]));

    [Fact]
    public void Taken_no_more_may_be_missing_than_unanswered_takes_took()
    {
        HistoryEvent unanswered = new TakeUnanswered(Queue, 1);
        Assert.Empty(Judge(Promise.Taken, Puts("p-1"), [unanswered, Empty]));
        Assert.Equal([FindingKind.Lost], Judge(Promise.Taken, Puts("p-1", "p-2"), [unanswered, Empty]));
    }

    [Fact]
    public void Broadcast_to_all_in_one_order_is_fine() => Assert.Empty(Judge(
        Promise.Broadcast, Puts("p-1", "p-2"), [Sent("p-1", 1), Sent("p-1", 1, "d"), Sent("p-2", 2), Sent("p-2", 2, "d"), End(3)]));

    [Fact]
    public void Broadcast_a_message_that_nobody_sees_is_lost() =>
        Assert.Equal([FindingKind.Lost], Judge(Promise.Broadcast, Puts("p-1", "p-2"), [Sent("p-1", 1), End(2)]));

    [Fact]
    public void Broadcast_a_skipped_offset_is_a_hole_unless_a_gap_was_told()
    {
        HistoryEvent[] toAnother = [Sent("p-1", 1, "d"), Sent("p-2", 2, "d"), Sent("p-3", 3, "d")];
        Assert.Equal(
            [FindingKind.Hole],
            Judge(Promise.Broadcast, Puts("p-1", "p-2", "p-3"), toAnother, [Sent("p-1", 1), Sent("p-3", 3), End(4)]));
        Assert.Empty(Judge(
            Promise.Broadcast, Puts("p-1", "p-2", "p-3"), [
                Sent("p-1", 1),
                new GapTold(Queue, "c", "expired", 2, 2, 1),
                Sent("p-3", 3),
                End(4)
            ]));
    }

    [Fact]
    public void Broadcast_a_gap_over_what_was_seen_or_that_begins_too_late_is_a_hole()
    {
        Assert.Contains(
            FindingKind.Hole,
            Judge(Promise.Broadcast, Puts("p-1", "p-2"), [Sent("p-1", 1), new GapTold(Queue, "c", "expired", 1, 2, 2), End(3)]));
        Assert.Contains(
            FindingKind.Hole,
            Judge(Promise.Broadcast, Puts("p-1"), [Sent("p-1", 1), new GapTold(Queue, "c", "expired", 3, 4, 2), End(5)]));
    }

    [Fact]
    public void Broadcast_a_gap_whose_count_is_wrong_is_a_hole() => Assert.Equal(
        [FindingKind.Hole],
        Judge(
            Promise.Broadcast,
            Puts("p-1"),
            [
                Sent("p-1", 1, "d"),
                Sent("p-1", 1),
                new GapTold(Queue, "c", "expired", 2, 3, 1),
                new GapTold(Queue, "d", "expired", 2, 3, 2),
                End(4)
            ]));

    [Fact]
    public void Broadcast_a_dropped_range_ends_right_before_what_comes_next_and_only_who_chose_so_is_dropped_behind()
    {
        HistoryEvent[] toAnother = [Sent("p-1", 1, "d"), Sent("p-2", 2, "d"), Sent("p-3", 3, "d")];
        HistoryEvent overflow = new GapTold(Queue, "c", "overflow", 2, 2, 1);
        HistoryEvent mayOverflow = new Connecting(Queue, "c", 1, MayOverflow: true);
        Assert.Empty(
            Judge(Promise.Kept, Puts("p-1", "p-2", "p-3"), toAnother, [mayOverflow, Sent("p-1", 1), overflow, Sent("p-3", 3), End(4)]));
        Assert.Equal(
            [FindingKind.Duplicated],
            Judge(
                Promise.Kept,
                Puts("p-1", "p-2", "p-3"),
                toAnother,
                [mayOverflow, Sent("p-1", 1), overflow, Sent("p-2", 2), Sent("p-3", 3), End(4)]));
        Assert.Equal(
            [FindingKind.Unexplained], Judge(
                Promise.Broadcast,
                Puts("p-1", "p-2", "p-3"),
                toAnother,
                [On(1), Sent("p-1", 1), overflow, Sent("p-3", 3), End(4)]));
    }

    [Fact]
    public void Kept_a_gap_though_history_reaches_back_is_unexplained()
    {
        HistoryEvent[] told = [
            Sent("p-1", 1, "d"),
            Sent("p-2", 2, "d"),
            new GapTold(Queue, "c", "expired", 1, 1, 1),
            Sent("p-2", 2),
            End(3)
        ];
        Assert.Empty(Judge(Promise.Broadcast, Puts("p-1", "p-2"), told));
        Assert.Equal([FindingKind.Unexplained], Judge(Promise.Kept, Puts("p-1", "p-2"), told));
    }

    [Fact]
    public void Broadcast_the_same_offset_twice_is_a_duplicate_and_an_earlier_one_is_reordered()
    {
        Assert.Equal([FindingKind.Duplicated], Judge(Promise.Broadcast, Puts("p-1"), [Sent("p-1", 1), Sent("p-1", 1), End(2)]));
        Assert.Equal(
            [FindingKind.Reordered],
            Judge(Promise.Broadcast, Puts("p-1", "p-2"), [Sent("p-1", 1), Sent("p-2", 2), Sent("p-1", 1), End(3)]));
    }

    [Fact]
    public void Broadcast_a_producers_messages_out_of_order_are_reordered() =>
        Assert.Equal([FindingKind.Reordered], Judge(Promise.Broadcast, Puts("p-1", "p-2"), [Sent("p-2", 1), Sent("p-1", 2), End(3)]));

    [Fact]
    public void Broadcast_one_offset_for_two_messages_is_found_across_consumers_and_deaths() => Assert.Contains(
        FindingKind.OffsetReused, Judge(
            Promise.Broadcast,
            Puts("p-1", "r-1"),
            [Sent("p-1", 1), new Killed(), Sent("r-1", 1, "d"), End(2)]));

    [Fact]
    public void Broadcast_one_message_under_two_offsets_is_found() =>
        Assert.Contains(FindingKind.OffsetReused, Judge(Promise.Broadcast, Puts("p-1"), [Sent("p-1", 1), Sent("p-1", 2), End(3)]));

    [Fact]
    public void Broadcast_a_new_epoch_needs_a_reset_and_a_reset_needs_lost_data()
    {
        HistoryEvent reset = new GapTold(Queue, "c", "reset", 0, 0, 0);
        Assert.Empty(
            Judge(Promise.Broadcast, Puts("p-1", "p-2"), [Sent("p-1", 1), new Wiped(), reset, Sent("p-2", 1, epoch: "f"), End(2, "f")]));
        Assert.Contains(
            FindingKind.Unexplained, Judge(
                Promise.Broadcast,
                Puts("p-1", "p-2"),
                [Sent("p-1", 1), new Wiped(), Sent("p-2", 1, epoch: "f"), End(2, "f")]));
        Assert.Contains(
            FindingKind.Unexplained, Judge(
                Promise.Broadcast,
                Puts("p-1", "p-2"),
                [Sent("p-1", 1), reset, Sent("p-2", 1, epoch: "f"), End(2, "f")]));
    }

    [Fact]
    public void Broadcast_a_consumer_that_never_reaches_the_end_is_stuck() => Assert.Equal(
        [FindingKind.Stuck], Judge(
            Promise.Broadcast,
            Puts("p-1", "p-2"),
            [Sent("p-1", 1), Sent("p-1", 1, "d"), Sent("p-2", 2, "d"), End(3)]));
}
