namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// Whose leases are whose: a receipt comes to one consumer, once, and again only to who takes up its place; that one gets what was kept for
/// it before anything new, and nobody else gets it in between.
/// </summary>
internal sealed class LeaseBook(Action<FindingKind, string> find)
{
    private readonly Dictionary<string, Arrived> _byReceipt = new(StringComparer.Ordinal);
    private readonly Dictionary<int, Place> _placeOf = [];
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Place Place, int Attempt)> _heldIn = new(StringComparer.Ordinal);

    /// <summary>Leases may have ended though the places of those who held them stand.</summary>
    public void Forget()
    {
        _heldIn.Clear();
        foreach (var place in _places.Values)
        {
            place.Expected.Clear();
            place.PassedOn.Clear();
        }
    }

    public void OnPlace(PlaceTold told)
    {
        if (_places.TryGetValue(told.Token, out var place))
        {
            // Its place has stood all the while, so what was given to others in the meantime was taken from it.
            place.PassedOn.ForEach(sentence => find(FindingKind.Duplicated, sentence));
            place.PassedOn.Clear();
        }
        else
        {
            _places[told.Token] = place = new Place();
        }

        place.Resumed = told.Resumed;
        place.Expected.Clear();
        place.Expected.UnionWith(_heldIn.Where(held => held.Value.Place == place).Select(held => held.Key));
        _placeOf[told.Connection] = place;
    }

    public void OnArrived(Arrived arrived)
    {
        _ = _placeOf.TryGetValue(arrived.Connection, out var place);
        if (arrived.Receipt.Length > 0 && !_byReceipt.TryAdd(arrived.Receipt, arrived))
        {
            OnKnownReceipt(arrived, _byReceipt[arrived.Receipt], place);
        }
        else if (place is not null)
        {
            OnNewInPlace(arrived, place);
        }

        if (_heldIn.TryGetValue(arrived.Key, out var held) && arrived.Attempt > held.Attempt)
        {
            held.Place.PassedOn.Add(
                $"{arrived.Key} came to {arrived.Consumer} (attempt {arrived.Attempt}) while it was kept for another (attempt "
                    + $"{held.Attempt})");
            _ = _heldIn.Remove(arrived.Key);
        }

        if (place is not null)
        {
            _heldIn[arrived.Key] = (place, arrived.Attempt);
        }
    }

    /// <summary>Somebody settles a message, so that nothing more can be said of its lease.</summary>
    public void OnSettling(string key)
    {
        if (_heldIn.Remove(key, out var held))
        {
            _ = held.Place.Expected.Remove(key);
        }
    }

    private void OnKnownReceipt(Arrived arrived, Arrived before, Place? place)
    {
        if (place is null
            || arrived.Connection == before.Connection
            || !_placeOf.TryGetValue(before.Connection, out var earlier)
            || earlier != place)
        {
            find(FindingKind.Duplicated, $"one lease of {arrived.Key} came to {before.Consumer} and to {arrived.Consumer}");
            return;
        }

        if (arrived.Attempt != before.Attempt || arrived.Key != before.Key)
        {
            find(
                FindingKind.Unexplained,
                $"{arrived.Key} (attempt {arrived.Attempt}) has the receipt of {before.Key} (attempt {before.Attempt})");
        }

        if (--place.Resumed < 0)
        {
            find(FindingKind.Unexplained, $"{arrived.Consumer} got {arrived.Key} again, although fewer kept messages were announced to it");
        }

        _byReceipt[arrived.Receipt] = arrived;
        _ = place.Expected.Remove(arrived.Key);
    }

    private void OnNewInPlace(Arrived arrived, Place place)
    {
        foreach (var key in place.Expected)
        {
            find(FindingKind.Lost, $"{arrived.Consumer} took up its place and got {arrived.Key}, but not {key}, which was kept for it");
        }

        place.Expected.Clear();
    }

    private sealed class Place
    {
        /// <summary>How many of those that were kept for it are still to come.</summary>
        public int Resumed { get; set; }

        /// <summary>The messages that it held and must get before any new one.</summary>
        public HashSet<string> Expected { get; } = new(StringComparer.Ordinal);

        /// <summary>The messages it held that others got: wrong if it returns to its place later.</summary>
        public List<string> PassedOn { get; } = [];
    }
}
