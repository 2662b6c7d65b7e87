using PushQueue.Load.Measuring;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Operations;

/// <summary>Assigns operations to free connections and counts the results. Shared by all threads of a run.</summary>
internal sealed class WorkLedger(int operations)
{
    private readonly int[] _returned = new int[operations];
    private int _next;
    private long _done;
    private int _failed;

    internal long Done => Volatile.Read(ref _done);

    internal int Failed => _failed;

    internal int Missing => _returned.Count(times => times == 0);

    internal int Duplicates => _returned.Sum(times => Math.Max(0, times - 1));

    /// <summary>The next <paramref name="wanted"/> sequence numbers, or fewer at the end, or none.</summary>
    internal int Claim(int wanted, out int first)
    {
        first = Interlocked.Add(ref _next, wanted) - wanted;
        return first < 0 ? 0 : Math.Clamp(operations - first, 0, wanted);
    }

    internal void Complete(int count) => Interlocked.Add(ref _done, count);

    /// <param name="answer">The answer of the server; the first of a run is shown.</param>
    internal void Fail(ReadOnlySpan<byte> answer)
    {
        if (Interlocked.Increment(ref _failed) == 1)
        {
            Console.Error.WriteLine($"failed: {System.Text.Encoding.UTF8.GetString(answer[..Math.Min(answer.Length, 300)]).Trim()}");
        }
    }

    /// <summary>A message came back: its token says which.</summary>
    internal void Return(ReadOnlySpan<byte> message)
    {
        var sequence = Token.SequenceIn(message);
        if (sequence >= 0 && sequence < operations)
        {
            Interlocked.Increment(ref _returned[sequence]);
        }
        else
        {
            Fail(message);
        }
    }
}

internal sealed record OperationResult(
    string Kind,
    string Protocol,
    int Connections,
    int Window,
    int Operations,
    double OperationsPerSecond,
    int Failed,
    int Missing,
    int Duplicates,
    Latency LatencyMs,
    double ServerCpuMicrosPerOperation,
    double ClientCpuMicrosPerOperation)
{
    internal bool Sound => Failed == 0 && Missing == 0 && Duplicates == 0;
}
