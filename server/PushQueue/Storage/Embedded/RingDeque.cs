namespace PushQueue.Storage.Embedded;

/// <summary>A growing ring: cheap at both ends, indexed from the front, 8 bytes an element.</summary>
internal sealed class RingDeque<T>
{
    private T[] _items = [];
    private int _head;

    public int Count { get; private set; }

    /// <summary>The number of the first item. An item keeps its number while others come and go at both ends.</summary>
    public int FirstNumber { get; private set; }

    public T this[int index]
    {
        get => _items[(_head + index) & (_items.Length - 1)];
        set => _items[(_head + index) & (_items.Length - 1)] = value;
    }

    public T First => this[0];

    public T Last => this[Count - 1];

    public void AddLast(T item)
    {
        EnsureRoom();
        _items[(_head + Count) & (_items.Length - 1)] = item;
        Count++;
    }

    public void AddFirst(T item)
    {
        EnsureRoom();
        _head = (_head - 1) & (_items.Length - 1);
        _items[_head] = item;
        Count++;
        FirstNumber--;
    }

    public T RemoveFirst()
    {
        var item = _items[_head];
        _items[_head] = default!;
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
        FirstNumber++;
        if (Count == 0 && _items.Length > 1024)
        {
            _items = [];
            _head = 0;
        }

        return item;
    }

    public void RemoveLast()
    {
        Count--;
        _items[(_head + Count) & (_items.Length - 1)] = default!;
    }

    /// <summary>Keeps only the items that match, in order; they get new numbers.</summary>
    public void Keep(Predicate<T> match)
    {
        var kept = new RingDeque<T>();
        for (var i = 0; i < Count; i++)
        {
            if (match(this[i]))
            {
                kept.AddLast(this[i]);
            }
        }

        (_items, _head, Count) = (kept._items, kept._head, kept.Count);
    }

    private void EnsureRoom()
    {
        if (Count < _items.Length)
        {
            return;
        }

        var larger = new T[Math.Max(8, _items.Length * 2)];
        for (var i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _items = larger;
        _head = 0;
    }
}
