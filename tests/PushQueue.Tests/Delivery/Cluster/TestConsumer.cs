using System.Text;
using System.Text.Json;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;

namespace PushQueue.Tests.Delivery.Cluster;

/// <summary>A connection that takes everything at once and remembers it: bodies, and gaps as <c>gap CAUSE FROM-TO</c>.</summary>
internal sealed class TestConsumer : IConsumerConnection
{
    private readonly Lock _lock = new();
    private readonly TestNode _node;
    private readonly List<string> _got = [];
    private readonly List<JsonElement> _lines = [];

    public TestConsumer(TestNode node)
    {
        _node = node;
        Buffer = new OutboundBuffer(this, new CoarseClock(), new DeliveryOptions());
    }

    public OutboundBuffer Buffer { get; }

    public IConsumerRights Rights { get; } = new AllRights();

    public Consumer Consumer { get; set; } = null!;

    /// <summary>Called, where it is set, before each page is taken: amid the round that hands it out.</summary>
    public Action? Writing { get; set; }

    public string Transport => "test";

    public string? RemoteAddress => null;

    public MessageFormat ControlFormat => LineFormat.Envelopes;

    public bool Multiplexed => false;

    public int? LastHeardAt => null;

    public IReadOnlyList<string> Got
    {
        get
        {
            lock (_lock)
            {
                return [.. _got];
            }
        }
    }

    public IReadOnlyList<JsonElement> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    public Task GotAsync(int count) => Eventually.TrueAsync(() => Got.Count >= count, $"a consumer got {count} lines");

    /// <summary>Why the server ended the connection.</summary>
    public CloseReason? Completed { get; private set; }

    public ValueTask LeaveAsync() => new(_node.Dispatcher.EndAsync(Buffer));

    public ValueTask WriteAsync(EncodedPage page)
    {
        Read(page);
        return default;
    }

    public ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
    {
        foreach (var page in pages)
        {
            Read(page);
        }

        return default;
    }

    public void Complete(CloseReason reason) => Completed = reason;

    public void Abort(CloseReason reason)
    {
    }

    private void Read(EncodedPage page)
    {
        Writing?.Invoke();
        foreach (var line in Encoding.UTF8.GetString(page.Bytes.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var json = JsonDocument.Parse(line).RootElement;
            lock (_lock)
            {
                _lines.Add(json);
                _got.Add(
                    json.TryGetProperty("event", out var name) ? Describe(name.GetString()!, json) : json.GetProperty("body").GetString()!);
            }
        }
    }

    private static string Describe(string name, JsonElement json) =>
        name == "gap" ? $"gap {json.GetProperty("cause")} {json.GetProperty("from")}-{json.GetProperty("to")}" : name;
}
