using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>
/// One run: workers send, and a plain client works at the same time. Between rounds all leave, and the run examines the server.
/// </summary>
internal sealed partial class FuzzRun
{
    private const string PlainQueue = "plain";

    // Sockets that the plain client and the examination themselves keep open.
    private const int OwnSockets = 4;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FuzzTarget _target;
    private readonly FuzzFindings _findings = new();
    private readonly FuzzAnswers _answers;
    private readonly FuzzWorker[] _workers;
    private readonly int _idleSockets;
    private volatile bool _working;

    /// <param name="target">The server.</param>
    /// <param name="seed">Chooses what each worker sends.</param>
    /// <param name="workers">How many clients work at once.</param>
    /// <param name="memory">Ids and receipts that the workers learn from answers.</param>
    public FuzzRun(FuzzTarget target, int seed, int workers, FuzzMemory memory)
    {
        _target = target;
        _answers = new FuzzAnswers(memory, _findings);
        _workers = [.. Enumerable.Range(0, workers)
            .Select(number => new FuzzWorker(unchecked((seed * 1009) + number), target, _answers, memory, _findings))];
        _idleSockets = target.Sockets();
    }

    /// <summary>Works for so long; what was found, empty if nothing.</summary>
    public async Task<FuzzFindings> RunAsync(TimeSpan length, ITestOutputHelper output)
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var round = 1; !_target.HasEnded && TimeProvider.System.GetElapsedTime(began) < length; round++)
        {
            await WorkAsync();
            if (!_target.HasEnded)
            {
                await ExamineAsync();
            }

            if (round % 3 == 0 && !_target.HasEnded)
            {
                await DeleteQueuesAsync();
            }
        }

        Listen();
        if (_target.HasEnded)
        {
            _findings.Add("The server's process has ended", _target.LastLines, Traces);
        }

        var statuses = string.Join(", ", _answers.Statuses.Select(one => $"{one.Key} {one.Value}"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{_workers.Sum(worker => worker.Trace.Count)} sends, {_answers.Count} answers: {statuses}."));
        Assert.True(_answers.Count > 100, "The fuzzer got hardly any answers.");
        return _findings;
    }

    private FuzzTrace[] Traces => [.. _workers.Select(worker => worker.Trace)];

    private async Task WorkAsync()
    {
        _working = true;
        using var end = new CancellationTokenSource(Round);
        var plain = BesideAsync();
        await Task.WhenAll(_workers.Select(worker => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested && !_target.HasEnded)
            {
                await worker.WorkAsync();
                Listen();
            }
        })));
        _working = false;
        await plain;
    }

    /// <summary>Reads what the server has logged.</summary>
    private void Listen()
    {
        foreach (var line in _target.NewLines())
        {
            _findings.Add(
                $"The log has a line without a known cause: {Digits().Replace(line[..Math.Min(150, line.Length)], "#")}", line, Traces);
        }
    }

    /// <summary>A client that does nothing unusual: each message that it puts it gets back.</summary>
    private async Task BesideAsync()
    {
        for (var number = 0; _working; number++)
        {
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                using var body = new StringContent($"plain {number}", Encoding.UTF8, "text/plain");
                using var put = await _target.Client.PostAsync($"/q/{PlainQueue}", body, patience.Token);
                if (put.StatusCode != HttpStatusCode.Created)
                {
                    var answer = await put.Content.ReadAsStringAsync(patience.Token);
                    _findings.Add($"The plain client's put is answered with {put.StatusCode}", answer, Traces);
                    return;
                }

                using var taken = await _target.Client.GetAsync($"/q/{PlainQueue}", patience.Token);
                if (await taken.Content.ReadAsStringAsync(patience.Token) is var text && text != $"plain {number}")
                {
                    _findings.Add("The plain client did not get its own message", $"{taken.StatusCode}: {text}", Traces);
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                _findings.Add("The plain client cannot work", e.Message, Traces);
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>All clients have left: nothing of them may remain.</summary>
    private async Task ExamineAsync()
    {
        var left = "";
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < Patience;)
        {
            left = await _target.LeftOversAsync();
            if (left.Length == 0 && _target.Sockets() is var sockets && sockets > _idleSockets + OwnSockets)
            {
                left = $"{sockets} sockets are open, {_idleSockets} were before";
            }

            if (left.Length == 0)
            {
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        if (left.Length > 0)
        {
            _findings.Add($"All clients have left, and after {Patience.TotalSeconds} s {Digits().Replace(left, "#")}", left, Traces);
        }

        if (await _target.MetricAsync("pushqueue_internal_errors_total") is var faults and > 0)
        {
            _findings.Add("pushqueue_internal_errors_total is not 0", $"{faults}", Traces);
        }
    }

    private async Task DeleteQueuesAsync()
    {
        foreach (var (queue, _) in await _target.QueuesAsync())
        {
            await _target.DeleteAsync(queue);
        }
    }

    [GeneratedRegex("[0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Digits();
}
