using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.Contracts;

/// <summary>One sequence of steps, played on a store and on the model side by side.</summary>
internal sealed class ModelRun : IAsyncDisposable
{
    private static readonly QueueName[] Queues = [.. new[] { "q", "r", "q.dead", "r.dead" }.Select(QueueName.Parse)];
    /// <summary>Short, because a sequence that fails here is played hundreds of times to shrink it.</summary>
    private static readonly TimeSpan ListenerPatience = TimeSpan.FromSeconds(5);

    /// <summary>Of q and of r alike: q feeds r, r feeds q, or both each other.</summary>
    private static readonly QueueSubscriptions[] Subscriptions =
    [
        QueueSubscriptions.None,
        QueueSubscriptions.Of([new QueueSubscription("q")]),
        QueueSubscriptions.Of([new QueueSubscription("q"), new QueueSubscription("r"), new QueueSubscription("nothing")]),
        QueueSubscriptions.Of([new QueueSubscription("*")]),
        QueueSubscriptions.Of([new QueueSubscription("*r"), new QueueSubscription("r*")]),
    ];

    private static readonly MessageState[] States = Enum.GetValues<MessageState>();

    private readonly TestTimeProvider _time = new();
    private readonly Func<TestTimeProvider, IMessageStore> _create;
    private readonly ModelData _data = new();
    private readonly RecordingListener _storeListener = new();
    private readonly RecordingListener _modelListener = new();
    private readonly List<(QueueName Queue, MessageId Id, Receipt Store, Receipt Model)> _leases = [];
    private readonly StringBuilder _played = new();
    private DateTimeOffset _latest;
    private bool _reopened;
    private IMessageStore _store = null!;
    private ModelMessageStore _model = null!;

    public ModelRun(Func<TestTimeProvider, IMessageStore> create)
    {
        _create = create;
    }

    /// <summary>Null where store and model agreed to the end; else what was played and where they differed.</summary>
    public async Task<string?> PlayAsync(IReadOnlyList<ModelStep> steps)
    {
        await OpenAsync();
        await BothAsync("settings of r", store =>
            store.UpdateSettingsAsync(Queues[1], new QueueSettingsPatch { DedupWindow = TimeSpan.FromSeconds(40) }));
        foreach (var step in steps)
        {
            var difference = await PlayAsync(step) ?? await CompareFinishedAsync() ?? await CompareQueuesAsync();
            if (difference is not null)
            {
                return $"{_played}{difference}";
            }

            if (_model.HasAmbiguousIds)
            {
                return null;
            }
        }

        return await CompareMessagesAsync() is { } last ? $"{_played}{last}" : null;
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync().WithTimeout();
        await _model.DisposeAsync();
    }

    private async Task OpenAsync()
    {
        _store = _create(_time);
        _model = new ModelMessageStore(_data, _time);
        await _store.OpenAsync(_storeListener, CancellationToken.None).WithTimeout();
        await _model.OpenAsync(_modelListener, CancellationToken.None).WithTimeout();
    }

    private async Task<string?> PlayAsync(ModelStep step)
    {
        var (_, a, b, c) = step;
        var queue = Queues[a % 10 < 8 ? a % 2 : 2 + (a % 2)];
        var source = Queues[a % 2];
        var id = IdOf(b);
        switch (step.Kind)
        {
            case "put":
                var message = MessageOf(b, c);
                return await BothAsync($"put {Text(message)} to {source}", store => store.PutAsync(source, message));
            case "put many":
                var many = Enumerable.Range(0, b % 5).Select(index => MessageOf(b * (index + 3), c * (index + 7))).ToList();
                return await BothAsync(
                    $"put many {string.Join("; ", many.Select(Text))} to {source}", store => store.PutManyAsync(source, many));
            case "take":
                return await BothAsync($"take {1 + (b % 3)} of {queue}", store =>
                    store.TakeAsync(queue, 1 + (b % 3), 1 + (b % 40), evenWhenStopped: c % 10 == 0));
            case "lease":
                return await LeaseAsync(
                    queue, new LeaseRequest(1 + (b % 3), 1 + (c % 40), TimeSpan.FromSeconds(1 + (c % 30)), $"w{c % 3}"));
            case "take due":
                return await BothAsync($"take {1 + (b % 2)} due by {CallersNow(c):mm:ss} of {queue}", store =>
                    store.TakeAsync(queue, 1 + (b % 2), 1 + (b % 40), Selection.DueBy(CallersNow(c))));
            case "lease due":
                return await LeaseAsync(queue, new LeaseRequest(
                    1 + (b % 3), 100, TimeSpan.FromSeconds(1 + (b % 30)), $"w{b % 3}", Selection: Selection.DueBy(CallersNow(c))));
            case "take where":
                return await BothAsync(
                    $"take {1 + (b % 3)} where {FilterOf(c)} of {queue}",
                    store => store.TakeAsync(queue, 1 + (b % 3), 1 + (b % 40), Selection.Where(FilterOf(c))));
            case "lease where":
                return await LeaseAsync(
                    queue, new LeaseRequest(
                        1 + (b % 3), 100, TimeSpan.FromSeconds(1 + (b % 30)), $"w{b % 3}", Selection: Selection.Where(FilterOf(c))));
            case "requeue":
                return await BothAsync($"requeue {1 + (b % 3)} over at {CallersNow(c):mm:ss} of {queue}", store =>
                    store.EndDueLeasesAsync(queue, CallersNow(c), 1 + (b % 3)));
            case "count due":
                return await BothAsync(
                    $"count due by {CallersNow(c):mm:ss} of {queue}", store => store.CountDueAsync(queue, CallersNow(c)));
            case "release at":
                var exactly = new ReleaseRequest(CountsAsAttempt: b % 2 == 0, AvailableAt: CallersNow(c));
                return await WithLeasesAsync($"release {exactly}", b, c, (store, name, keys) => store.ReleaseAsync(name, keys, exactly));
            case "ack any":
                return await BothAsync($"ack the lease of {id} in {queue}", store => store.AckAsync(queue, [new LeaseKey(id, default)]));
            case "deliver":
                return await LeaseAsync(queue, new LeaseRequest(1 + (b % 3), 1000, TimeToRun: null, Delivery: true));
            case "ack":
                return await WithLeasesAsync("ack", b, c, (store, name, keys) => store.AckAsync(name, keys));
            case "release":
                var release = new ReleaseRequest(
                    b % 3 == 0 ? TimeSpan.FromSeconds(b % 20) : null, c % 2 == 0 ? $"error {c}" : null, DeadLetter: c % 7 == 0);
                return await WithLeasesAsync($"release {release}", b, c, (store, name, keys) => store.ReleaseAsync(name, keys, release));
            case "release uncounted":
                var uncounted = new ReleaseRequest(CountsAsAttempt: false);
                return await WithLeasesAsync("release uncounted", b, c, (store, name, keys) => store.ReleaseAsync(name, keys, uncounted));
            case "touch":
                var touched = TimeSpan.FromSeconds(1 + (c % 50));
                return await WithLeasesAsync($"touch {touched}", b, c, (store, name, keys) => store.TouchAsync(name, keys, touched));
            case "cancel":
                return await BothAsync($"cancel {id} in {queue}", store => store.CancelAsync(queue, id));
            case "reschedule":
                var at = _time.GetUtcNow() + TimeSpan.FromSeconds(c % 30);
                return await BothAsync($"reschedule {id} in {queue} by {c % 30} s", store => store.RescheduleAsync(queue, id, at));
            case "broadcast":
                return await BothAsync(
                    $"broadcast {1 + (b % 4)} of {source}", store => store.BroadcastAsync(source, 1 + (b % 4), 1 + (c % 60)));
            case "latest":
                return await BothAsync(
                    $"latest of {source} from {b % 12}", store => store.ReadLatestAsync(source, b % 12, 1 + (c % 6), 1 + (b % 60)));
            case "history":
                return await BothAsync(
                    $"history of {source} from {b % 12}", store => store.ReadHistoryAsync(source, b % 12, 1 + (c % 6), 1 + (b % 60)));
            case "look":
                return await BothAsync($"look at {queue}", store => store.LookAsync(queue));
            case "find":
                return await BothAsync($"find {id} in {queue}", store => store.FindAsync(queue, id));
            case "settings":
                var patch = PatchOf(b, c);
                return await BothAsync($"settings of {source}: {patch}", store => store.UpdateSettingsAsync(source, patch));
            case "replay":
                var only = b % 3 == 0 ? id : (MessageId?)null;
                return await BothAsync(
                    $"replay {only} x {1 + (c % 3)} to {source}", store => store.ReplayAsync(source.DeadLetter, only, 1 + (c % 3)));
            case "purge":
                // Which of several leased messages go first is the store's choice, so that all go where some would.
                var leasedNow = (await _model.BrowseAsync(queue, MessageState.Leased, null, 1)).Value.Messages.Count;
                var purged = leasedNow > 0 ? 1000 : 1 + (b % 4);
                return await BothAsync($"purge {purged} of {queue}", store => store.PurgeAsync(queue, purged));
            case "advance":
                return await AdvanceAsync(TimeSpan.FromMilliseconds(b % 4 == 0 ? c * 100 : c * 10));
            case "clock back":
                // A store may keep or drop earlier times at a start, as long as no message passes another. The
                // embedded store does not follow the wall clock, as the model does; WallClockTests are about that.
                if (_reopened || _store is EmbeddedMessageStore)
                {
                    return null;
                }

                _played.AppendLine($"clock back {b % 5} s");
                _latest = _time.GetUtcNow() > _latest ? _time.GetUtcNow() : _latest;
                _time.StepClock(-TimeSpan.FromSeconds(b % 5));
                return null;
            case "reopen":
                return await ReopenAsync();
            case "delete queue":
                return c % 2 == 0 ? await BothAsync($"delete {queue}", store => store.DeleteQueueAsync(queue)) : null;
            default:
                throw new InvalidOperationException($"No such step: {step.Kind}");
        }
    }

    /// <summary>Other tests cover a start after a clock went back; here it has caught up by then.</summary>
    private async Task<string?> ReopenAsync()
    {
        var behind = _latest - _time.GetUtcNow();
        if (behind > TimeSpan.Zero && await AdvanceAsync(behind) is { } difference)
        {
            return difference;
        }

        _played.AppendLine("reopen");
        _reopened = true;
        await DisposeAsync();
        await OpenAsync();
        return null;
    }

    /// <summary>Plays one operation on both and compares the answers.</summary>
    private async Task<string?> BothAsync<T>(string what, Func<IMessageStore, ValueTask<T>> operation)
    {
        var (_, difference) = await AnswersAsync(what, operation);
        return difference;
    }

    private async Task<(
        (T Store, T Model) Answers, string? Difference)> AnswersAsync<T>(string what, Func<IMessageStore, ValueTask<T>> operation)
    {
        _played.Append(what);
        var store = await operation(_store).WithTimeout(what);
        _model.Numbers = NumbersOf(store);
        var model = await operation(_model).WithTimeout(what);
        var (storeText, modelText) = (Text(store), Text(model));
        _played.AppendLine($" -> {modelText}");
        return ((store, model), storeText == modelText ? null : $"*** the store answered\n{storeText}\n*** the model\n{modelText}");
    }

    /// <summary>The numbers that the store gave as ids: that they are new is checked, that none was left out is not.</summary>
    private static IReadOnlyList<long> NumbersOf(object? answer) => answer switch
    {
        BrokerResult<PutOutcome> { Ok: true } put => [put.Value.Id.Number],
        BrokerResult<IReadOnlyList<PutOutcome>> { Ok: true } many =>
            [.. many.Value.Where(put => !put.Duplicate).Select(put => put.Id.Number)],
        _ => [],
    };

    private async Task<string?> LeaseAsync(QueueName queue, LeaseRequest request)
    {
        var (answers, difference) = await AnswersAsync($"lease {request} of {queue}", store => store.LeaseAsync(queue, request));
        if (difference is null && answers.Store.Ok)
        {
            _leases.AddRange(answers.Store.Value.Zip(
                answers.Model.Value, (store, model) => (queue, store.Message.Id, store.Receipt, model.Receipt)));
        }

        return difference;
    }

    /// <summary>Names one to three leases, current and old ones, of the queue of the first.</summary>
    private async Task<string?> WithLeasesAsync(
        string what, int b, int c, Func<IMessageStore, QueueName, IReadOnlyList<LeaseKey>, ValueTask<IReadOnlyList<QueueError>>> operation)
    {
        if (_leases.Count == 0)
        {
            return null;
        }

        // Mostly the latest, because most old ones have ended.
        var queue = LeaseAt(b).Queue;
        var chosen = Enumerable.Range(0, 1 + (c % 3)).Select(index => LeaseAt(b + (index * c))).Where(lease => lease.Queue == queue)
            .ToList();
        return await BothAsync(
            $"{what}: {string.Join(", ", chosen.Select(lease => lease.Id))} of {queue}",
            store => operation(
                store, queue, [.. chosen.Select(lease => new LeaseKey(lease.Id, store == _store ? lease.Store : lease.Model))]));
    }

    private (QueueName Queue, MessageId Id, Receipt Store, Receipt Model) LeaseAt(int number) =>
        _leases[^(1 + (number % Math.Min(_leases.Count, number % 5 == 0 ? 50 : 4)))];

    /// <summary>Lets time pass from one event to the next, so that nothing is noticed late; late notice has tests of its own.</summary>
    private async Task<string?> AdvanceAsync(TimeSpan duration)
    {
        _played.AppendLine($"advance {duration}");
        var left = duration;
        while (left > TimeSpan.Zero)
        {
            var toNext = _model.NextEventAt - _time.GetUtcNow();
            var step = toNext > TimeSpan.Zero && toNext < left ? toNext.Value : left;
            _time.Advance(step);
            left -= step;
            if (await CompareFinishedAsync() is { } difference || await CompareQueuesAsync() is { } another
                && (difference = another) is not null)
            {
                return $"*** {left} before the end of the advance: {difference}";
            }
        }

        return null;
    }

    /// <summary>Every end of a message that the model told, the store tells too.</summary>
    private async Task<string?> CompareFinishedAsync()
    {
        await CompareQueuesAsync();
        foreach (var expected in _modelListener.News.OfType<Finished>()
            .Where(news => news.Outcome.Acked || news.Outcome.Reason is "max-attempts" or "rejected"))
        {
            try
            {
                await _storeListener.WaitForAsync(news => news is Finished told
                    && told.Queue == expected.Queue
                    && told.Id == expected.Id
                    && told.Outcome.Acked == expected.Outcome.Acked
                    && told.Outcome.Attempts == expected.Outcome.Attempts
                    && told.Outcome.Worker == expected.Outcome.Worker).WaitAsync(ListenerPatience);
            }
            catch (TimeoutException)
            {
                var told = string.Join('\n', _storeListener.News.OfType<Finished>());
                return $"*** the store never told its listener\n{expected}\n*** but\n{told}";
            }
        }

        _modelListener.Clear();
        _storeListener.Clear();
        return null;
    }

    private async Task<string?> CompareQueuesAsync()
    {
        foreach (var queue in Queues)
        {
            var (store, model) = (
                Text(await _store.GetQueueAsync(queue).WithTimeout()), Text(await _model.GetQueueAsync(queue).WithTimeout()));
            if (store != model)
            {
                return $"*** the queue in the store\n{store}\n*** in the model\n{model}";
            }
        }

        return null;
    }

    private async Task<string?> CompareMessagesAsync()
    {
        foreach (var queue in Queues)
        {
            foreach (var state in States)
            {
                // Whether dead letters count as ready when they are browsed is not said.
                if (queue.IsDeadLetter && state == MessageState.Ready)
                {
                    continue;
                }

                if (await BothAsync($"browse {state} of {queue}", store => store.BrowseAsync(queue, state, null, 1000)) is { } browsed)
                {
                    return browsed;
                }
            }

            if (await BothAsync($"keys of {queue}", store => store.ListKeysAsync(queue, null, 1000)) is { } keys)
            {
                return keys;
            }

            if (await BothAsync($"history of {queue}", store => store.ReadHistoryAsync(queue, 0, 1000, int.MaxValue)) is { } history)
            {
                return history;
            }

            if (await BothAsync($"latest of {queue}", store => store.ReadLatestAsync(queue, 0, 1000, int.MaxValue)) is { } latest)
            {
                return latest;
            }
        }

        return null;
    }

    private NewMessage MessageOf(int b, int c) => new()
    {
        Body = Encoding.UTF8.GetBytes(new string((char)('a' + (b % 26)), c % 20)),
        ContentType = c % 3 == 0 ? "application/json" : "text/plain",
        Id = b % 3 == 0 ? IdOf(b) : null,
        AvailableAt = c % 8 == 0 ? CallersNow(c) : c % 4 == 0 ? _time.GetUtcNow() + TimeSpan.FromSeconds(c % 25) : null,
        TimeToLive = c % 5 == 0 ? TimeSpan.FromSeconds(1 + (c % 40)) : null,
        Priority = b % 5 == 0 ? c % 10 : 0,
        UniqueKey = b % 7 == 0 ? $"key {c % 3}" : null,
        // Messages whose past time counts come from the scheduler dialect, which has no keys.
        Key = c % 2 == 0 && c % 8 != 0 ? $"k{b % 4}" : null,
        Headers = HeadersOf(b),
        MaxAttempts = b % 11 == 0 ? 1 + (c % 3) : null,
        KeepsPastTime = c % 8 == 0,
        CountsAsFailure = b % 17 == 0,
        RetryDelay = b % 13 == 0 ? RetryDelay.Fixed(TimeSpan.FromSeconds(c % 10)) : null,
    };

    private static MessageHeaders? HeadersOf(int number)
    {
        var headers = new MessageHeadersBuilder();
        for (var i = 0; i < number % 4; i++)
        {
            headers.Add($"h{i}", $"{(number + i) % 3}");
        }

        return headers.Build();
    }

    private static MessageFilter FilterOf(int number)
    {
        string[] conditions = number % 3 == 0 ? ["h1"] : number % 3 == 1
            ? [$"h0={number % 4}|{number % 5}"]
            : ["h0=1|2", $"h1={number % 3}"];
        return MessageFilter.TryParse(conditions, out var filter, out var whyNot) ? filter! : throw new InvalidOperationException(whyNot);
    }

    /// <summary>A clock that is up to half a minute behind or ahead of the store's.</summary>
    private DateTimeOffset CallersNow(int c) => _time.GetUtcNow() + TimeSpan.FromSeconds((c % 61) - 30);

    /// <summary>A text or a number among those that the queue itself gives.</summary>
    private static MessageId IdOf(int number) =>
        number % 2 == 0 ? MessageId.Parse($"id {number % 6}") : MessageId.FromNumber(1 + (number % 15));

    // History only shrinks: whether a larger one brings back what a smaller one hid is not said.
    private static QueueSettingsPatch PatchOf(int b, int c) => (b % 14) switch
    {
        0 => new QueueSettingsPatch { Stopped = c % 3 == 0 },
        1 => new QueueSettingsPatch { MaxAttempts = 1 + (c % 3) },
        2 => new QueueSettingsPatch { RetryDelay = c % 2 == 0
            ? RetryDelay.None
            : new RetryDelay(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1 + (c % 9))) },
        3 => new QueueSettingsPatch { MaxMessages = c % 2 == 0 ? 0 : 1 + (c % 8), Overflow = (FullQueuePolicy)(c % 4 / 2) },
        4 => new QueueSettingsPatch { MaxBytes = c % 2 == 0 ? 0 : 1 + (c % 80), Overflow = (FullQueuePolicy)(c % 4 / 2) },
        5 => new QueueSettingsPatch { HistoryMessages = c % 6 },
        6 => new QueueSettingsPatch { HistoryAge = TimeSpan.FromSeconds(5 + (c % 60)) },
        7 => new QueueSettingsPatch { DeadLetter = c % 3 != 0 },
        8 => new QueueSettingsPatch { HistoryPerKey = c % 4 != 0 },
        10 => c % 3 == 0 ? new QueueSettingsPatch { Fair = c % 2 == 0 } : new QueueSettingsPatch { KeyInFlight = c % 4 },
        > 10 => new QueueSettingsPatch { Subscriptions = Subscriptions[c % Subscriptions.Length] },
        _ => new QueueSettingsPatch { Policy = (DeliveryPolicy)(1 + (c % 2)) },
    };

    // Answers as text: what differs can be read, and what may differ (receipts, epochs, the words of errors) is left out.
    private static string Text(object? answer) => answer switch
    {
        null => "nothing",
        BrokerResult<PutOutcome> result => Result(result, outcome => outcome.ToString()),
        // Which of its faults a batch is refused for is the store's choice.
        BrokerResult<IReadOnlyList<PutOutcome>> { Error: QueueError.QueueFull or QueueError.UniqueKeyTaken } => "refused",
        BrokerResult<IReadOnlyList<PutOutcome>> result => Result(result, outcomes => string.Join(", ", outcomes)),
        BrokerResult<IReadOnlyList<Message>> result => Result(result, Lines),
        BrokerResult<IReadOnlyList<Lease>> result => Result(result, leases => Lines(leases.Select(lease => lease.Message))),
        BrokerResult<MessagePage> result => Result(result, page => Lines(page.Messages)),
        BrokerResult<bool> result => Result(result, value => value.ToString()),
        BrokerResult<int> result => Result(result, value => $"{value}"),
        long count => $"{count}",
        BrokerResult<QueueSettings> result => Result(result, value => value.ToString()),
        IReadOnlyList<QueueError> errors => string.Join(", ", errors),
        IReadOnlyList<Message> messages => BroadcastLines(messages),
        HistoryPage page => $"{page.Position with { Epoch = "" }}{BroadcastLines(page.Messages)}",
        KeyPage page => string.Concat(page.Keys.Select(key => $"\n    {key}")) + page.Next,
        Message message => Line(message),
        NewMessage message => Line(message),
        QueueInfo info =>
            $"{info with { Position = info.Position with { Epoch = "" }, Counters = CountersOf(info), OldestReadyAt = null }}",
        _ => throw new InvalidOperationException($"No text for {answer.GetType()}"),
    };

    // Each store decides for itself what a dead-letter queue counts as put.
    private static QueueCounters CountersOf(QueueInfo info) => info.Name.IsDeadLetter ? new QueueCounters() : info.Counters;

    private static string Result<T>(BrokerResult<T> result, Func<T, string> text) =>
        result.Ok ? text(result.Value) : $"error {result.Error}";

    private static string Lines(IEnumerable<Message> messages)
    {
        var lines = messages.Select(message => (Line(message), message.State)).ToList();

        // The order of leased messages among each other is nobody's business.
        var ordered = lines.TrueForAll(line => line.State == MessageState.Leased)
            ? lines.OrderBy(line => line.Item1, StringComparer.Ordinal)
            : lines.AsEnumerable();
        return string.Concat(ordered.Select(line => $"\n    {line.Item1}"));
    }

    private static string BroadcastLines(IEnumerable<Message> messages) => string.Concat(messages.Select(message =>
        $"\n    {message.Offset} {message.Queue} {message.Id} body={Encoding.UTF8.GetString(message.Body.Span)} {message.ContentType} "
        + $"priority={message.Priority} key={message.Key} headers={message.Headers} put={message.EnqueuedAt:mm:ss.fff}"));

    private static string Line(Message message) =>
        $"{message.Queue} {message.Id} {message.State} body={Encoding.UTF8.GetString(message.Body.Span)} {message.ContentType} "
            + $"priority={message.Priority} "
        + $"attempt={message.Attempt} unique={message.UniqueKey} key={message.Key} headers={message.Headers} offset={message.Offset} "
            + $"put={message.EnqueuedAt:mm:ss.fff} available={message.AvailableAt:mm:ss.fff} "
        + $"expires={message.ExpiresAt:mm:ss.fff} until={message.LeasedUntil:mm:ss.fff} worker={message.LastWorker} "
            + $"dead={message.DeadLetter}";

    private static string Line(NewMessage message) =>
        $"id={message.Id} bytes={message.Body.Length} at={message.AvailableAt:mm:ss.fff} ttl={message.TimeToLive} "
            + $"priority={message.Priority} "
        + $"unique={message.UniqueKey} key={message.Key} headers={message.Headers} attempts={message.MaxAttempts} "
            + $"retry={message.RetryDelay}";
}
