using System.Text;
using System.Text.Json;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;

namespace PushQueue.Tests.Delivery;

/// <summary>A connection without a wire: keeps the lines that were written to it.</summary>
internal sealed class RecordingConnection : IConsumerConnection
{
    private readonly Lock _gate = new();
    private readonly List<JsonElement> _lines = [];

    public string Transport => "test";

    public IConsumerRights Rights { get; } = new AllRights();

    public string? RemoteAddress => null;

    public MessageFormat ControlFormat => LineFormat.Envelopes;

    public bool Multiplexed => false;

    public int? LastHeardAt => null;

    public IReadOnlyList<JsonElement> Lines()
    {
        lock (_gate)
        {
            return [.. _lines];
        }
    }

    public ValueTask WriteAsync(EncodedPage page) => WriteAsync([page]);

    public ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
    {
        lock (_gate)
        {
            foreach (var line in pages.SelectMany(
                page => Encoding.UTF8.GetString(page.Bytes.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries)))
            {
                using var json = JsonDocument.Parse(line);
                _lines.Add(json.RootElement.Clone());
            }
        }

        return default;
    }

    public void Complete(CloseReason reason)
    {
        // Nothing to end.
    }

    public void Abort(CloseReason reason)
    {
        // Nothing to cut.
    }
}
