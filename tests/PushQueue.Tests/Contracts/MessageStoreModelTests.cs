using System.Globalization;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

/// <summary>
/// Drives a store and <see cref="ModelMessageStore"/> with the same random steps and compares every answer, every end of a message that is
/// told, and what is left. A failing sequence is shrunk and printed with its seed; PUSHQUEUE_TEST_SEED replays it,
/// PUSHQUEUE_TEST_SEQUENCES and PUSHQUEUE_TEST_STEPS run more and longer ones.
/// </summary>
public abstract class MessageStoreModelTests
{
    private const int ShrinkRunsMax = 300;

    /// <summary>How many sequences a run of all tests plays.</summary>
    private protected virtual int Sequences => 300;

    /// <summary>Makes a store on fresh data; the function that it returns opens it, again and again on the same data.</summary>
    private protected abstract (Func<TestTimeProvider, IMessageStore> Create, IDisposable Data) NewData();

    [Fact]
    public async Task Random_sequences_answer_as_the_model_does()
    {
        var seed = FromEnvironment("PUSHQUEUE_TEST_SEED");
        var (first, count) = seed is { } one ? (one, 1) : (1, FromEnvironment("PUSHQUEUE_TEST_SEQUENCES") ?? Sequences);
        var length = FromEnvironment("PUSHQUEUE_TEST_STEPS") ?? 60;

        for (var next = first; next < first + count; next++)
        {
            var steps = ModelStep.Sequence(next, length);
            if (await RunAsync(steps) is { } difference)
            {
                var (shrunk, last) = await ShrinkAsync(steps, difference);
                Assert.Fail($"Seed {next} (replay it with PUSHQUEUE_TEST_SEED={next}), shrunk to {shrunk.Count} steps:\n{last}");
            }
        }
    }

    private async Task<string?> RunAsync(IReadOnlyList<ModelStep> steps)
    {
        var (create, data) = NewData();
        using (data)
        {
            await using var run = new ModelRun(create);
            return await run.PlayAsync(steps);
        }
    }

    /// <summary>Leaves out ever smaller stretches for as long as the sequence still fails.</summary>
    private async Task<(IReadOnlyList<ModelStep> Steps, string Difference)> ShrinkAsync(IReadOnlyList<ModelStep> steps, string difference)
    {
        var runs = 0;
        for (var stretch = steps.Count / 2; stretch >= 1; stretch /= 2)
        {
            for (var start = 0; start < steps.Count && runs < ShrinkRunsMax;)
            {
                var fewer = steps.Take(start).Concat(steps.Skip(start + stretch)).ToList();
                runs++;
                if (await RunAsync(fewer) is { } still)
                {
                    (steps, difference) = (fewer, still);
                }
                else
                {
                    start += stretch;
                }
            }
        }

        return (steps, difference);
    }

    private static int? FromEnvironment(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>
/// One thing to do. The numbers choose among what exists when the step is played, so that any subset of steps can be played.
/// </summary>
internal sealed record ModelStep(string Kind, int A, int B, int C)
{
    private static readonly (string Kind, int Weight)[] Kinds =
    [
        ("put", 22), ("put many", 5), ("take", 8), ("lease", 14), ("deliver", 4), ("ack", 8), ("release", 10), ("release uncounted", 2),
        ("touch", 3), ("cancel", 4), ("reschedule", 4), ("broadcast", 6), ("history", 3), ("latest", 2), ("look", 2), ("find", 2),
            ("settings", 6),
        ("replay", 3), ("take due", 3), ("lease due", 8), ("take where", 6), ("lease where", 6), ("requeue", 4), ("count due", 2),
            ("release at", 4), ("ack any", 2), ("advance", 12), ("clock back", 1), ("reopen", 3), ("delete queue", 1), ("purge", 2),
    ];

    public static IReadOnlyList<ModelStep> Sequence(int seed, int length)
    {
        var random = new Random(seed);
        return [
            .. Enumerable.Range(0, length).Select(
                _ => new ModelStep(KindOf(random), random.Next(1000), random.Next(1000), random.Next(1000)))
        ];
    }

    private static string KindOf(Random random)
    {
        var at = random.Next(Kinds.Sum(kind => kind.Weight));
        return Kinds.First(kind => (at -= kind.Weight) < 0).Kind;
    }
}
