using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Crashes;

/// <summary>
/// Kills the server at random moments while producers put, and holds it to its word. PUSHQUEUE_TEST_KILL_ROUNDS sets how often, for a
/// longer run by hand.
/// </summary>
public sealed class KillTests
{
    private const int Producers = 16;

    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("PUSHQUEUE_TEST_KILL_ROUNDS"), out var rounds) ? rounds : 50;

    [Fact]
    public async Task Every_put_answered_with_201_survives_kill_9_once_and_in_order()
    {
        using var data = new TemporaryDirectory();
        var answered = new Counter();
        var producers = Enumerable.Range(0, Producers).Select(number => new Producer(number, answered)).ToArray();
        var seed = Environment.TickCount;
        var random = new Random(seed);

        for (var round = 0; round < Rounds; round++)
        {
            await using var server = await ServerProcess.StartAsync(data.Path);
            var putting = producers.Select(producer => producer.PutUntilTheServerDiesAsync(server.Address)).ToArray();

            // So many more answers, not so long: the kill then comes in the middle of puts on a machine of any speed.
            await answered.MoreAsync(random.Next(1, 200)).WaitAsync(TimeSpan.FromSeconds(30));
            await server.KillAsync();
            await Task.WhenAll(putting);
        }

        await using var last = await ServerProcess.StartAsync(data.Path);
        var found = await TakeAllAsync(last.Client);
        foreach (var producer in producers)
        {
            var mine = found.Where(body => body.Producer == producer.Number).Select(body => body.Sequence).ToList();
            Assert.True(mine.SequenceEqual(mine.Order()), $"Out of order (seed {seed}): {string.Join(' ', mine)}");
            Assert.True(mine.Distinct().Count() == mine.Count, $"Twice (seed {seed}): {string.Join(' ', mine)}");
            Assert.True(
                producer.Acknowledged.All(mine.Contains),
                $"Lost (seed {seed}): {string.Join(' ', producer.Acknowledged.Except(mine))}");
        }

        Assert.True(producers.Sum(producer => producer.Acknowledged.Count) > Rounds);
    }

    private static async Task<List<(int Producer, int Sequence)>> TakeAllAsync(HttpClient client)
    {
        var found = new List<(int, int)>();
        while (true)
        {
            using var page = JsonDocument.Parse(await client.GetStringAsync("/q/crash/batch?count=1000"));
            if (page.RootElement.GetArrayLength() == 0)
            {
                return found;
            }

            foreach (var message in page.RootElement.EnumerateArray())
            {
                var parts = message.GetProperty("body").GetString()!.Split(':');
                found.Add((int.Parse(parts[0]), int.Parse(parts[1])));
            }
        }
    }

    private sealed class Producer(int number, Counter answered)
    {
        private int _next;

        public int Number { get; } = number;

        public ConcurrentQueue<int> Acknowledged { get; } = new();

        public async Task PutUntilTheServerDiesAsync(Uri server)
        {
            using var client = new HttpClient { BaseAddress = server };
            try
            {
                while (true)
                {
                    // A put that was not answered is not repeated: it may be stored or not, but once at most.
                    var sequence = _next++;
                    using var answer = await client.PostAsync("/q/crash", new StringContent($"{Number}:{sequence}"));
                    Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
                    Acknowledged.Enqueue(sequence);
                    answered.Add();
                }
            }
            catch (HttpRequestException)
            {
                // The server was killed, as was to be.
            }
        }
    }

    /// <summary>Lets the test wait for a number of events.</summary>
    private sealed class Counter
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource? _reached;
        private int _missing;

        public Task MoreAsync(int count)
        {
            lock (_gate)
            {
                _missing = count;
                _reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return _reached.Task;
            }
        }

        public void Add()
        {
            lock (_gate)
            {
                if (--_missing == 0)
                {
                    _reached?.SetResult();
                }
            }
        }
    }
}
