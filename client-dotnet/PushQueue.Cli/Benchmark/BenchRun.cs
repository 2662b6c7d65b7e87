using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PushQueue.Client;

namespace PushQueue.Cli.Benchmark;

/// <summary>Puts numbered messages and counts what comes. A body begins with its number and the time of its put.</summary>
internal sealed class BenchRun(PushQueueClient client, BenchPlan plan)
{
    public const int BodyBytesMin = 32;

    /// <summary>With nothing new for this long what is missing counts as lost.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _queue = $"bench-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly List<double> _latencies = [];
    private readonly Lock _gate = new();
    private int[] _times = [];
    private long _put;
    private long _received;
    private long _lastReceivedAt;
    private int _next;

    public long Put => Volatile.Read(ref _put);

    public long Received => Volatile.Read(ref _received);

    public async Task<BenchResult> RunAsync(CancellationToken cancellationToken)
    {
        _times = new int[plan.Messages];
        _ = await client.ChangeSettingsAsync(_queue, new QueueSettingsChange { Policy = plan.Policy }, cancellationToken);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var begun = _time.GetTimestamp();
        try
        {
            var consuming = await ListenAsync(over.Token);
            begun = _time.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, plan.Producers).Select(_ => ProduceAsync(cancellationToken)));
            var putSeconds = _time.GetElapsedTime(begun).TotalSeconds;
            await AllReceivedAsync(cancellationToken);
            await over.CancelAsync();
            await Task.WhenAll(consuming);
            return Result(
                putSeconds, Math.Max(putSeconds / 1000, _time.GetElapsedTime(begun, Volatile.Read(ref _lastReceivedAt)).TotalSeconds));
        }
        finally
        {
            await client.DeleteQueueAsync(_queue, CancellationToken.None);
        }
    }

    private async Task<Task[]> ListenAsync(CancellationToken over)
    {
        var streams = Enumerable.Range(0, plan.Consumers).Select(_ => client.ConsumeAsync(
            _queue, new ConsumeOptions { Transport = plan.Transport, Ack = plan.Ack ? AckMode.Manual : AckMode.Auto,
            Prefetch = plan.Ack ? 1000 : null }, over)).ToList();
        var standing = streams.ConvertAll(stream =>
        {
            var stands = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            stream.Connected += () => stands.TrySetResult();
            return stands.Task;
        });
        var consuming = streams.Select(stream => ConsumeAsync(stream, over)).ToArray();

        // A stream that is refused tells why instead of standing.
        await Task.WhenAny(Task.WhenAll(standing), Task.WhenAny(consuming).Unwrap());
        return consuming.FirstOrDefault(task => task.IsFaulted) is { } failed ? [.. await FailAsync(failed)] : consuming;
    }

    private static async Task<Task[]> FailAsync(Task failed)
    {
        await failed;
        return [];
    }

    private async Task ConsumeAsync(MessageStream stream, CancellationToken over)
    {
        var acks = new List<Task>();
        try
        {
            await foreach (var message in stream)
            {
                Count(message.Body.Span);
                if (plan.Ack)
                {
                    acks.Add(message.AckAsync(CancellationToken.None));
                }
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // All is there.
        }

        await Task.WhenAll(acks);
    }

    private void Count(ReadOnlySpan<byte> body)
    {
        var now = _time.GetTimestamp();
        var text = Encoding.ASCII.GetString(body[..Math.Min(body.Length, BodyBytesMin)]).Split(':');
        var number = int.Parse(text[0], CultureInfo.InvariantCulture);
        var latency = _time.GetElapsedTime(long.Parse(text[1], CultureInfo.InvariantCulture), now);
        lock (_gate)
        {
            _latencies.Add(latency.TotalMilliseconds);
        }

        _ = Interlocked.Increment(ref _times[number]);
        _ = Interlocked.Increment(ref _received);
        Volatile.Write(ref _lastReceivedAt, now);
    }

    private async Task ProduceAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var first = Interlocked.Add(ref _next, plan.Batch) - plan.Batch;
            var count = Math.Min(plan.Batch, plan.Messages - first);
            if (count <= 0)
            {
                return;
            }

            var stamp = _time.GetTimestamp();
            var bodies = Enumerable.Range(first, count).Select(number => PutMessage.Text(Body(number, stamp)));
            _ = await client.PutManyAsync(_queue, bodies, cancellationToken);
            _ = Interlocked.Add(ref _put, count);
        }
    }

    private string Body(int number, long stamp) =>
        string.Create(CultureInfo.InvariantCulture, $"{number}:{stamp}:").PadRight(plan.Size, '.');

    private async Task AllReceivedAsync(CancellationToken cancellationToken)
    {
        var before = -1L;
        var since = _time.GetTimestamp();
        while (Received < plan.Expected)
        {
            if (Received != before)
            {
                (before, since) = (Received, _time.GetTimestamp());
            }
            else if (_time.GetElapsedTime(since) > Patience)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), _time, cancellationToken);
        }
    }

    private BenchResult Result(double putSeconds, double seconds)
    {
        var wanted = (int)(plan.Expected / plan.Messages);
        _latencies.Sort();
        return new BenchResult(
            Put, Received, Put / putSeconds, Received / seconds, Percentile(0.5), Percentile(0.9), Percentile(0.99), Percentile(1),
            _times.Sum(times => (long)Math.Max(0, wanted - times)), _times.Sum(times => (long)Math.Max(0, times - wanted)));
    }

    private double Percentile(double share) => _latencies.Count == 0 ? 0 : _latencies[(int)((_latencies.Count - 1) * share)];
}
