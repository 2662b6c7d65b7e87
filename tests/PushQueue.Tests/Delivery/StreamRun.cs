using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;

namespace PushQueue.Tests.Delivery;

/// <summary>One sequence of random steps on the delivery layer, played in parallel with a <see cref="StreamModel"/>.</summary>
internal sealed class StreamRun(int seed, bool roundRobin) : IAsyncDisposable
{
    private const int ConsumersMax = 4;
    private static readonly QueueName Queue = QueueName.Parse("q");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Random _random = new(seed);
    private readonly TestTimeProvider _time = new();
    private readonly MessageMeter _meter = new(TimeProvider.System);
    private readonly TemporaryDirectory _directory = new();
    private readonly StringBuilder _played = new();
    private readonly List<StreamMember> _members = [];
    private readonly StreamModel _model = new(roundRobin);
    private ConsumerRegistry _registry = null!;
    private Dispatcher _dispatcher = null!;
    private EmbeddedMessageStore _store = null!;
    private string _epoch = "";
    private int _bodies;

    /// <summary>Null where model and delivery agreed to the end; else what was played and where they differed.</summary>
    public async Task<string?> PlayAsync(int steps)
    {
        await OpenAsync();
        var policy = roundRobin ? DeliveryPolicy.RoundRobin : DeliveryPolicy.Broadcast;
        await SetAsync(new QueueSettingsPatch { Policy = policy, MaxAttempts = 1000, HistoryAge = TimeSpan.FromDays(1) });
        _epoch = (await _store.GetQueueAsync(Queue))!.Position.Epoch;
        for (var i = 0; i < steps; i++)
        {
            await StepAsync();
            if (await DifferenceAsync() is { } difference)
            {
                return $"{_played}*** {difference}";
            }
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _meter.Dispose();
        _directory.Dispose();
    }

    private async Task OpenAsync()
    {
        // Segments and cache are tiny, so that sequences run through new segments, cleaning and bodies read back from disk.
        var options = new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory, SegmentBytes = 2000,
            CacheBytesMax = 60 };
        _store = new EmbeddedMessageStore(options, _time, NullLoggerFactory.Instance);
        _registry = new ConsumerRegistry();
        _dispatcher = new Dispatcher(
            _store, _registry, TestPolicies.All(_store, _registry, _time), _time, NullLogger<Dispatcher>.Instance, _meter);
        await _store.OpenAsync(_dispatcher, CancellationToken.None).WithTimeout();
    }

    private async Task CloseAsync()
    {
        foreach (var member in _members.ToList())
        {
            await LeaveAsync(member);
        }

        await _dispatcher.DrainAsync(TimeSpan.Zero).WithTimeout();
        await _store.DisposeAsync().WithTimeout();
    }

    private async Task StepAsync()
    {
        switch (_random.Next(20))
        {
            case < 6:
                await PutAsync(1 + _random.Next(3));
                break;
            case < 9 when _members.Count < ConsumersMax:
                await SubscribeAsync();
                break;
            case < 11 when _members.Count > 0:
                var leaving = Any(_members);
                _played.AppendLine($"{leaving.Name} leaves");
                await LeaveAsync(leaving);
                break;
            case < 13:
                await StopOrStartAsync();
                break;
            case 13 when !roundRobin:
                var kept = _random.Next(5);
                _played.AppendLine($"history {kept}");
                _model.KeepHistory(kept);
                await SetAsync(new QueueSettingsPatch { HistoryMessages = kept });
                break;
            case < 17 when roundRobin && _model.Held.Count > 0:
                await SettleAsync();
                break;
            case 17:
                await CancelAsync();
                break;
            case 18:
                var seconds = _random.Next(1, 8);
                _played.AppendLine($"{seconds} s pass");
                _time.Advance(TimeSpan.FromSeconds(seconds));
                _model.Pass(seconds);
                break;
            case 19:
                _played.AppendLine("reopen");
                await CloseAsync();
                await OpenAsync();
                break;
        }
    }

    private async Task PutAsync(int count)
    {
        var bodies = Enumerable.Range(0, count).Select(_ => $"b{++_bodies}").ToArray();
        _played.AppendLine($"put {string.Join(' ', bodies)}");
        _model.Put(bodies);
        _ = await _store.PutManyAsync(Queue, [.. bodies.Select(body => new NewMessage
        {
            Id = MessageId.Parse(body), Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain",
        })]).WithTimeout();
    }

    private async Task SubscribeAsync()
    {
        var options = new ConsumerOptions();
        if (roundRobin)
        {
            var manual = _random.Next(4) > 0;
            options = options with
            {
                Ack = manual ? AckMode.Manual : AckMode.Auto,
                Prefetch = _random.Next(1, 4),
                TimeToRun = manual && _random.Next(2) == 0 ? TimeSpan.FromSeconds(5) : null,
            };
        }
        else
        {
            options = options with { From = AnyStart(), Overflow = (OverflowPolicy)_random.Next(3) };
        }

        var member = new StreamMember($"c{_registry.NextNumber()}", options, new RecordingConnection());
        _played.AppendLine($"{member.Name} subscribes: {options}");
        member.Buffer = new OutboundBuffer(member.Connection, new CoarseClock(), new DeliveryOptions());
        _registry.Add(member.Buffer);
        _members.Add(member);
        _model.Join(member, _epoch);
        member.Consumer = await _dispatcher.SubscribeAsync(Queue, member.Buffer, LineFormat.Envelopes, options).AsTask().WithTimeout();
        member.Buffer.Open();
    }

    private StartPosition AnyStart() => _random.Next(5) switch
    {
        0 => StartPosition.Live,
        1 => StartPosition.Earliest,
        2 => new StartPosition(StartKind.Offset, string.Empty, _random.Next(1, (int)_model.NextOffset + 3)),
        3 => new StartPosition(StartKind.Cursor, "another", 5),
        _ => new StartPosition(StartKind.Cursor, _epoch, _random.Next(1, (int)_model.NextOffset + 1)),
    };

    private async Task LeaveAsync(StreamMember member)
    {
        _members.Remove(member);
        await _dispatcher.EndAsync(member.Buffer).WithTimeout();
        await member.Consumer.Dispatcher!.Settler.WhenSettled().WithTimeout();
        _model.Leave(member);
        if (_members.Count == 0)
        {
            // A round that began while somebody was there may still give out what is put next.
            await Eventually.TrueAsync(() => member.Consumer.Dispatcher!.IsRetired, "no round runs");
        }
    }

    private async Task StopOrStartAsync()
    {
        _played.AppendLine(_model.Stopped ? "start" : "stop");
        _model.Stopped = !_model.Stopped;
        await SetAsync(new QueueSettingsPatch { Stopped = _model.Stopped });
    }

    private async Task SettleAsync()
    {
        var (id, held) = Any(_model.Held.ToList());
        var key = new LeaseKey(MessageId.Parse(id), held.Receipt);
        var ack = _random.Next(3) > 0;
        _played.AppendLine($"{(ack ? "ack" : "release")} {id} by {held.Member.Name}");
        if (ack)
        {
            _model.Ack(id);
            _ = await _store.AckAsync(Queue, [key]).WithTimeout();
        }
        else
        {
            _model.GiveBack(id);
            _ = await _store.ReleaseAsync(Queue, [key], new ReleaseRequest(TimeSpan.Zero)).WithTimeout();
        }
    }

    private async Task CancelAsync()
    {
        if (_bodies == 0)
        {
            return;
        }

        var id = $"b{_random.Next(1, _bodies + 1)}";
        var lives = _model.Cancel(id);
        _played.AppendLine($"cancel {id}: {lives}");
        var cancelled = await _store.CancelAsync(Queue, MessageId.Parse(id)).WithTimeout();
        if (cancelled.Value != lives)
        {
            _model.Fault($"cancelling {id} answered {cancelled.Value}");
        }
    }

    /// <summary>Waits until delivery has come to where the model is; what differs where it does not.</summary>
    private async Task<string?> DifferenceAsync()
    {
        _model.Deliver();
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var info = (await _store.GetQueueAsync(Queue).AsTask().WithTimeout())!;
            if (_model.Compare(_members, info) is not { } difference)
            {
                return null;
            }

            if (_model.IsBroken || Stopwatch.GetElapsedTime(started) > Patience)
            {
                return difference;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }
    }

    private Task SetAsync(QueueSettingsPatch patch) => _store.UpdateSettingsAsync(Queue, patch).AsTask().WithTimeout();

    private T Any<T>(List<T> list) => list[_random.Next(list.Count)];
}

/// <summary>A consumer of the run.</summary>
internal sealed class StreamMember(string name, ConsumerOptions options, RecordingConnection connection)
{
    public string Name => name;

    public ConsumerOptions Options => options;

    public RecordingConnection Connection => connection;

    public OutboundBuffer Buffer { get; set; } = null!;

    public Consumer Consumer { get; set; } = null!;

    /// <summary>The messages that it got according to the model, under broadcast.</summary>
    public List<string> Expected { get; } = [];

    /// <summary>How many of its lines the model has read, under roundrobin.</summary>
    public int Read { get; set; }

    public static string Text(JsonElement line) => line.TryGetProperty("event", out var name)
        ? $"{name} {line.GetProperty("cause")} {line.GetProperty("from")}-{line.GetProperty("to")}"
        : $"{line.GetProperty("offset")} {line.GetProperty("body")}";
}
