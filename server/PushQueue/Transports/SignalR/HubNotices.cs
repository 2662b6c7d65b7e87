using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Transports.Watching;

namespace PushQueue.Transports.SignalR;

#pragma warning disable RS0030 // Only notices are read here, which a node of the same installation wrote.

/// <summary>
/// Notices between nodes over the hub's groups, and so over SignalR's backplane where there is one: a topic is a group, and each node that
/// listens is a member.
/// </summary>
internal sealed class HubNotices : INotices, IAsyncDisposable
{
    /// <summary>No client of the hub is a member of the groups, so the name cannot meet one of an application.</summary>
    private const string Method = "pushqueue-notice";
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
    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);
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
        Topic found;
        lock (_gate)
        {
            found = _topics.TryGetValue(topic, out var known) ? known : _topics[topic] = new Topic(topic);
            found.Handler += handler;
        }

        try
        {
            await ReconcileAsync(found).WaitAsync(JoinPatience);
        }
        catch (TimeoutException)
        {
            // Redis is out of reach. The node joins when it is back; until then the listener depends on its checks.
        }

        return new Listening(this, found, handler);
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

    private void Leave(Topic topic, Action<ReadOnlyMemory<byte>> handler)
    {
        lock (_gate)
        {
            topic.Handler -= handler;
        }

        // Nobody waits for it: while Redis is out of reach it takes until that is back.
        _ = ReconcileAsync(topic);
    }

    /// <summary>
    /// Makes the node a member of the topic's group if it has a listener, and ends its membership if it has none. One at a time for each
    /// topic, so that a leave that takes long never undoes the join that came after it.
    /// </summary>
    private async Task ReconcileAsync(Topic topic)
    {
        try
        {
            await _attached.Value;
            await topic.Turn.WaitAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
            return;
        }

        try
        {
            while (Wants(topic) is var wants && wants != topic.IsMember)
            {
                await ConnectedAsync(() => wants
                    ? _groups.AddToGroupAsync(_connection.ConnectionId, GroupOf(topic.Name))
                    : _groups.RemoveFromGroupAsync(_connection.ConnectionId, GroupOf(topic.Name)));
                topic.IsMember = wants;
            }
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
        finally
        {
            _ = topic.Turn.Release();
        }
    }

    /// <summary>Whether the topic has a listener. A topic without listeners is forgotten once the node has left it.</summary>
    private bool Wants(Topic topic)
    {
        lock (_gate)
        {
            if (topic is { Handler: null, IsMember: false })
            {
                _ = _topics.Remove(topic.Name);
            }

            return topic.Handler is not null;
        }
    }

    private Task ConnectedAsync(Func<Task> action) => _backplane?.RunConnectedAsync(action, _stopping.Token) ?? action();

    private async Task PumpAsync()
    {
        while (await HasNoticesAsync() && _sending.Reader.TryRead(out var next))
        {
            var (topic, notice) = next;
            try
            {
                await HubBackplane.RunOnceAsync(() => _groups.SendGroupAsync(GroupOf(topic), Method, [topic, new Notice(notice)]));
            }
            catch (Exception e)
            {
                // A border: one notice that cannot be sent must not end the others.
                _faults.Report(e);
            }
        }
    }

    private async ValueTask<bool> HasNoticesAsync()
    {
        try
        {
            return await _sending.Reader.WaitToReadAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The node stops, and drops what waits.
            return false;
        }
    }

    /// <summary>
    /// One record of the hub's JSON protocol: an invocation with the topic and the notice. An application's own sends to all connections
    /// come here, too, and are left alone.
    /// </summary>
    private void Receive(ReadOnlyMemory<byte> record)
    {
        try
        {
            using var document = JsonDocument.Parse(record.TrimEnd(RecordSeparator), JsonBody.DocumentOptions);
            if (!document.RootElement.TryGetProperty("target", out var target) || !target.ValueEquals(Method))
            {
                return;
            }

            var arguments = document.RootElement.GetProperty("arguments");
            Action<ReadOnlyMemory<byte>>? handler;
            lock (_gate)
            {
                handler = _topics.GetValueOrDefault(arguments[0].GetString()!)?.Handler;
            }

            handler?.Invoke(JsonText.Raw(arguments[1]).ToArray());
        }
        catch (Exception e)
        {
            // A border: SignalR calls this.
            _faults.Report(e);
        }
    }

    /// <param name="name">The topic.</param>
    private sealed class Topic(string name)
    {
        public string Name => name;

        /// <summary>Held by the one task that changes the membership.</summary>
        public SemaphoreSlim Turn { get; } = new(1, 1);

        /// <summary>All listeners; null without any.</summary>
        public Action<ReadOnlyMemory<byte>>? Handler { get; set; }

        /// <summary>Whether the node is a member of the group.</summary>
        public bool IsMember { get; set; }
    }

    private sealed class Listening(HubNotices notices, Topic topic, Action<ReadOnlyMemory<byte>> handler) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            notices.Leave(topic, handler);
            return default;
        }
    }
}
