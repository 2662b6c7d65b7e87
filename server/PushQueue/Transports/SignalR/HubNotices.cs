using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Transports.Json;
using PushQueue.Transports.Watching;

namespace PushQueue.Transports.SignalR;

#pragma warning disable RS0030 // Only notices are read here, which a node of the same installation wrote.

/// <summary>
/// Notices between nodes over the hub's groups, and so over SignalR's backplane where there is one: a topic is a group, and each node that
/// listens is a member.
/// </summary>
internal sealed class HubNotices : INotices, IAsyncDisposable
{
    private const string Method = "notice";
    private const byte RecordSeparator = 0x1E;

    /// <summary>More that wait to be sent are dropped: a listener checks from time to time.</summary>
    private const int WaitingMax = 4096;

    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(1);

    private readonly HubLifetimeManager<PushHub> _groups;
    private readonly HubBackplane? _backplane;
    private readonly NoticeConnection _connection;
    private readonly FaultBorder _faults;
    private readonly Channel<(string Topic, byte[] Notice)> _sending = Channel.CreateBounded<(string, byte[])>(
        new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Action<ReadOnlyMemory<byte>>> _handlers = new(StringComparer.Ordinal);
    private readonly Lazy<Task> _attached;
    private readonly Lazy<Task> _pump;

    public HubNotices(
        [FromKeyedServices(PushLifetimeManager.Inner)] HubLifetimeManager<PushHub> groups,
        IHubProtocolResolver protocols,
        MessageMeter meter,
        ILoggerFactory loggers,
        HubBackplane? backplane = null)
    {
        (_groups, _backplane) = (groups, backplane);
        _faults = new FaultBorder("notices", loggers.CreateLogger<HubNotices>(), meter);
        _connection = new NoticeConnection(Receive, protocols.GetProtocol("json", supportedProtocols: null)!, loggers);
        _attached = new Lazy<Task>(() => ConnectedAsync(() => _groups.OnConnectedAsync(_connection)));
        _pump = new Lazy<Task>(PumpAsync);
    }

    public void Send(string topic, byte[] notice)
    {
        _ = _pump.Value;
        _ = _sending.Writer.TryWrite((topic, notice));
    }

    public async ValueTask<IAsyncDisposable> ListenAsync(string topic, Action<ReadOnlyMemory<byte>> handler)
    {
        lock (_gate)
        {
            _handlers[topic] = _handlers.TryGetValue(topic, out var others) ? others + handler : handler;
        }

        try
        {
            await JoinAsync(topic).WaitAsync(JoinPatience);
        }
        catch (TimeoutException)
        {
            // Redis is out of reach. The node joins when it is back; until then the listener depends on its checks.
        }

        return new Listening(this, topic, handler);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _sending.Writer.TryComplete();
        if (_pump.IsValueCreated)
        {
            await _pump.Value;
        }

        _stopping.Dispose();
    }

    private static string GroupOf(string topic) => $"pushqueue:{topic}";

    private async Task JoinAsync(string topic)
    {
        try
        {
            await _attached.Value;
            await ConnectedAsync(() => _groups.AddToGroupAsync(_connection.ConnectionId, GroupOf(topic)));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        catch (Exception e)
        {
            // A border: nobody may wait for this any more.
            _faults.Report(e);
        }
    }

    private async ValueTask LeaveAsync(string topic, Action<ReadOnlyMemory<byte>> handler)
    {
        lock (_gate)
        {
            if (_handlers[topic] - handler is { } others)
            {
                _handlers[topic] = others;
                return;
            }

            _ = _handlers.Remove(topic);
        }

        await HubBackplane.RunOnceAsync(() => _groups.RemoveFromGroupAsync(_connection.ConnectionId, GroupOf(topic)));
    }

    private Task ConnectedAsync(Func<Task> action) => _backplane?.RunConnectedAsync(action, _stopping.Token) ?? action();

    private async Task PumpAsync()
    {
        await foreach (var (topic, notice) in _sending.Reader.ReadAllAsync())
        {
            try
            {
                await HubBackplane.RunOnceAsync(() => _groups.SendGroupAsync(GroupOf(topic), Method, [topic, new RawJson(notice)]));
            }
            catch (Exception e)
            {
                // A border: one notice that cannot be sent must not end the others.
                _faults.Report(e);
            }
        }
    }

    /// <summary>One record of the hub's JSON protocol: an invocation with the topic and the notice.</summary>
    private void Receive(ReadOnlyMemory<byte> record)
    {
        try
        {
            using var document = JsonDocument.Parse(record.TrimEnd(RecordSeparator));
            var arguments = document.RootElement.GetProperty("arguments");
            Action<ReadOnlyMemory<byte>>? handler;
            lock (_gate)
            {
                handler = _handlers.GetValueOrDefault(arguments[0].GetString()!);
            }

            handler?.Invoke(JsonText.Raw(arguments[1]).ToArray());
        }
        catch (Exception e)
        {
            // A border: SignalR calls this.
            _faults.Report(e);
        }
    }

    private sealed class Listening(HubNotices notices, string topic, Action<ReadOnlyMemory<byte>> handler) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => notices.LeaveAsync(topic, handler);
    }
}
