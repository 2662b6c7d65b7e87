using System.Text.Json;

namespace PushQueue.Tests.Support;

/// <summary>
/// The lines of an HTTP stream. The opening (a comment or an empty line, and under broadcast the event with the first cursor) is
/// kept separately, so that tests about messages read messages first.
/// </summary>
internal sealed class StreamLines(Stream stream) : IDisposable
{
    private readonly StreamReader _reader = new(stream);
    private readonly Queue<string?> _heldBack = new();
    private bool _opened;

    /// <summary>The cursor that the stream began with; null before the first line was read, and where it gave none.</summary>
    public string? Cursor { get; private set; }

    /// <summary>Whether this is the event that every broadcast stream begins with, and that says nothing but where.</summary>
    public static bool IsOpening(string? json) =>
        json?.StartsWith("{\"event\":\"subscribed\"", StringComparison.Ordinal) is true
            && !json.Contains("\"token\"", StringComparison.Ordinal);

    public async Task<string?> ReadLineAsync(CancellationToken cancellationToken = default)
    {
        if (!_opened)
        {
            await ReadOpeningAsync(cancellationToken);
        }

        return _heldBack.TryDequeue(out var held) ? held : await _reader.ReadLineAsync(cancellationToken);
    }

    /// <summary>Reads what the stream begins with, and returns as soon as its cursor is known.</summary>
    public async Task<string> ReadCursorAsync()
    {
        await ReadOpeningAsync(CancellationToken.None);
        return Cursor ?? throw new InvalidOperationException("The stream began without a cursor.");
    }

    public Task<string> ReadToEndAsync() => _reader.ReadToEndAsync();

    public void Dispose() => _reader.Dispose();

    private async Task ReadOpeningAsync(CancellationToken cancellationToken)
    {
        _opened = true;
        string? line;
        do
        {
            line = await _reader.ReadLineAsync(cancellationToken);
        }
        while (line is "" or ":");

        if (IsOpening(line))
        {
            Cursor = JsonDocument.Parse(line!).RootElement.GetProperty("cursor").GetString();
            return;
        }

        _heldBack.Enqueue(line);
        if (line?.StartsWith("id: ", StringComparison.Ordinal) is not true)
        {
            return;
        }

        // An id also begins a message or a gap, and then it is not the stream's own.
        _heldBack.Enqueue(await _reader.ReadLineAsync(cancellationToken));
        if (_heldBack.Last() is "event: subscribed")
        {
            _heldBack.Enqueue(await _reader.ReadLineAsync(cancellationToken));
        }

        if (_heldBack.Last() is "" || IsOpening(_heldBack.Last()?["data: ".Length..]))
        {
            Cursor = line["id: ".Length..];
            _heldBack.Clear();
        }
    }
}
