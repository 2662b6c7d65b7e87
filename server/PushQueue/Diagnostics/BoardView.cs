namespace PushQueue.Diagnostics;

/// <summary>Which queues of the board somebody wants to see, and in which order.</summary>
internal sealed record BoardView
{
    public const int LimitMax = 200;

    /// <summary>A part of the name, in any case; empty for all.</summary>
    public string Filter { get; init; } = string.Empty;

    public BoardChoice Show { get; init; }

    public BoardOrder Order { get; init; }

    public bool Descending { get; init; }

    public int Offset { get; init; }

    public int Limit { get; init; } = 50;

    /// <summary>The rows of the page, and how many rows there are on all pages.</summary>
    public BoardRow[] Select(BoardRow[] rows, out int matching)
    {
        var found = new List<BoardRow>(rows.Length);
        foreach (var row in rows)
        {
            if (Matches(row))
            {
                found.Add(row);
            }
        }

        matching = found.Count;
        if (Order != BoardOrder.Name)
        {
            // Equal ones stay in the order of their names, either way round.
            found.Sort((one, other) => (Compare(one, other), Descending) switch
            {
                (0, _) => string.CompareOrdinal(one.Info.Name.Value, other.Info.Name.Value),
                (var result, true) => -result,
                (var result, false) => result,
            });
        }
        else if (Descending)
        {
            found.Reverse();
        }

        var start = Math.Min(Offset, found.Count);
        return [.. found.Skip(start).Take(Limit)];
    }

    private bool Matches(in BoardRow row) =>
        Show switch
        {
            BoardChoice.Waiting => row.Info.Waiting > 0,
            BoardChoice.Busy => row.Rate != default,
            BoardChoice.Stopped => row.Info.Settings.Stopped,
            BoardChoice.Unheard => IsUnheard(row),
            BoardChoice.Dead => row.Dead > 0 || (row.Info.Name.IsDeadLetter && row.Info.Waiting > 0),
            _ => true,
        }
        && (Filter.Length == 0 || row.Info.Name.Value.Contains(Filter, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Messages wait and nobody gets them. Workers that take or lease by request are not connected, so deliveries and leases count as well.
    /// Dead letters wait for a person.
    /// </summary>
    private static bool IsUnheard(in BoardRow row) =>
        row.Info.Waiting > 0 && row.Consumers == 0 && row.Info.Leased == 0 && row.Rate.Delivered == 0 && !row.Info.Name.IsDeadLetter;

    private int Compare(in BoardRow one, in BoardRow other) => Order switch
    {
        BoardOrder.Policy => one.Info.Settings.EffectivePolicy.CompareTo(other.Info.Settings.EffectivePolicy),
        BoardOrder.Ready => one.Info.Ready.CompareTo(other.Info.Ready),
        BoardOrder.Delayed => one.Info.Delayed.CompareTo(other.Info.Delayed),
        BoardOrder.Leased => one.Info.Leased.CompareTo(other.Info.Leased),
        BoardOrder.Dead => one.Dead.CompareTo(other.Dead),
        BoardOrder.Put => one.Rate.Put.CompareTo(other.Rate.Put),
        BoardOrder.Delivered => one.Rate.Delivered.CompareTo(other.Rate.Delivered),
        BoardOrder.Consumers => one.Consumers.CompareTo(other.Consumers),

        // The oldest is the one that waits longest; a queue where nothing waits is the youngest of all.
        BoardOrder.Oldest =>
            (other.Info.OldestReadyAt ?? DateTimeOffset.MaxValue).CompareTo(one.Info.OldestReadyAt ?? DateTimeOffset.MaxValue),
        _ => 0,
    };
}

internal enum BoardOrder
{
    Name = 0,
    Policy,
    Ready,
    Delayed,
    Leased,
    Dead,
    Put,
    Delivered,
    Oldest,
    Consumers,
}

internal enum BoardChoice
{
    All = 0,

    /// <summary>With messages.</summary>
    Waiting,

    /// <summary>With puts or deliveries in the last seconds.</summary>
    Busy,

    Stopped,

    /// <summary>With messages and without consumers.</summary>
    Unheard,

    /// <summary>With dead letters.</summary>
    Dead,
}
