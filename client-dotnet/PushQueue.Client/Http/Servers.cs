namespace PushQueue.Client.Http;

/// <summary>
/// The addresses of servers that share their queues. All go to the same one, until somebody finds that it cannot serve; then all go on at
/// the next. Any will do, so nobody goes back.
/// </summary>
internal sealed class Servers
{
    private readonly string[] _roots;
    private int _current;

    public Servers(IEnumerable<Uri> addresses)
    {
        _roots = [.. addresses.Select(RootOf).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>How many there are.</summary>
    public int Count => _roots.Length;

    /// <summary>The address to use now, without a slash at its end.</summary>
    public string Current => _roots[Volatile.Read(ref _current)];

    /// <summary>The server at this address cannot serve. Nothing happens where somebody else has moved on already.</summary>
    public void MoveOn(string root)
    {
        var current = Volatile.Read(ref _current);
        if (_roots[current] == root)
        {
            _ = Interlocked.CompareExchange(ref _current, (current + 1) % _roots.Length, current);
        }
    }

    private static string RootOf(Uri address) => address.IsAbsoluteUri && address.Scheme is "http" or "https"
        ? address.GetLeftPart(UriPartial.Path).TrimEnd('/')
        : throw new ArgumentException($"The server is '{address}'; give an address such as http://127.0.0.1:8080.", nameof(address));
}
