using System.Globalization;
using PushQueue.Transports;
using PushQueue.Transports.Operations;

namespace PushQueue.InProcess;

/// <summary>
/// The options of a call as names and texts: they pass the same readers as those of a request, so that a value which is refused there is
/// refused here, in the same words.
/// </summary>
internal struct GivenOptions : IOptionSource
{
    private List<(string Name, string Value)>? _given;
    private int _next;

    public readonly Problem? Problem => null;

    public void Add(string name, string? value)
    {
        if (value is not null)
        {
            (_given ??= []).Add((name, value));
        }
    }

    public void Add(string name, int? value) => Add(name, value?.ToString(CultureInfo.InvariantCulture));

    public void Add(string name, TimeSpan? value) => Add(name, value is { } duration ? Text(duration) : null);

    public void Add(string name, DateTimeOffset? value) => Add(name, value?.ToString("O", CultureInfo.InvariantCulture));

    public bool Next(out ReadOnlySpan<char> name, out string value)
    {
        if (_given is null || _next == _given.Count)
        {
            name = default;
            value = "";
            return false;
        }

        var given = _given[_next++];
        name = given.Name;
        value = given.Value;
        return true;
    }

    /// <summary>In milliseconds, rounded up, as the client over HTTP writes it.</summary>
    public static string Text(TimeSpan duration) =>
        string.Create(CultureInfo.InvariantCulture, $"{(long)Math.Ceiling(duration.TotalMilliseconds)}ms");
}
