using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Questions between nodes over pub/sub: one channel on which all are asked, one for each node on which it gets its answers. Nothing is
/// kept in Redis, and nothing is sent while nobody asks. A packet is the name of the question and of who sends it (16 characters each),
/// then the text.
/// </summary>
internal sealed class RedisNodes(RedisConnection connection, TimeProvider time, Func<int> living, ILogger logger) : INodes
{
    private const int NameLength = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly string _name = NewName();
    private readonly ConcurrentDictionary<string, Question> _asked = new(StringComparer.Ordinal);
    private volatile Func<string, ValueTask<byte[]>>? _answer;
    private long _questions;

    // 2^32 consumers of one node are more than it will see; with 2^20 nodes the numbers stay below 2^53, which JSON's readers can hold.
    public long NumberBase { get; } = RandomNumberGenerator.GetInt32(1, 1 << 20) * (1L << INodes.NumberBits);

    public async Task OpenAsync()
    {
        await connection.SubscribeAsync(connection.Keys.Questions, Hear);
        await connection.SubscribeAsync(connection.Keys.AnswersFor(_name), HearAnswer);
    }

    public void AnswerWith(Func<string, ValueTask<byte[]>> answer) => _answer = answer;

    public async ValueTask<IReadOnlyList<byte[]>> AskAsync(string question)
    {
        var others = living() - 1;
        if (others <= 0)
        {
            return [];
        }

        var name = Interlocked.Increment(ref _questions).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
        var asked = new Question(others);
        _asked[name] = asked;
        try
        {
            await connection.PublishAsync(connection.Keys.Questions, Packet(name, Encoding.UTF8.GetBytes(question)));
            await asked.Complete.WaitAsync(Patience, time);
        }
        catch (TimeoutException)
        {
            // A node that does not answer in time is left out.
        }
        catch (StoreUnavailableException)
        {
            // The other nodes are out of reach: the answer holds this node's part alone.
        }
        finally
        {
            _ = _asked.TryRemove(name, out _);
        }

        return asked.Answers;
    }

    private void Hear(byte[] packet)
    {
        var asker = Encoding.ASCII.GetString(packet, NameLength, NameLength);
        if (asker != _name && _answer is { } answer)
        {
            _ = AnswerAsync(asker, packet, answer);
        }
    }

    private async Task AnswerAsync(string asker, byte[] packet, Func<string, ValueTask<byte[]>> answer)
    {
        // Off the thread that hands packets over: a list of many consumers takes a while.
        await Task.Yield();
        try
        {
            var text = await answer(Encoding.UTF8.GetString(packet.AsSpan(2 * NameLength)));
            var name = Encoding.ASCII.GetString(packet, 0, NameLength);
            await connection.PublishAsync(connection.Keys.AnswersFor(asker), Packet(name, text));
        }
        catch (StoreUnavailableException)
        {
            // The asker does not wait for long.
        }
        catch (Exception e)
        {
            // The border of this task.
            Log.AnswerFailed(logger, e);
        }
    }

    private void HearAnswer(byte[] packet)
    {
        if (_asked.TryGetValue(Encoding.ASCII.GetString(packet, 0, NameLength), out var question))
        {
            question.Add(packet[(2 * NameLength)..]);
        }
    }

    private byte[] Packet(string question, byte[] text) =>
        [.. Encoding.ASCII.GetBytes(question), .. Encoding.ASCII.GetBytes(_name), .. text];

    private static string NewName() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NameLength / 2));

    private sealed class Question(int others)
    {
        private readonly Lock _gate = new();
        private readonly List<byte[]> _answers = [];
        private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Complete => _complete.Task;

        public IReadOnlyList<byte[]> Answers
        {
            get
            {
                lock (_gate)
                {
                    return [.. _answers];
                }
            }
        }

        public void Add(byte[] answer)
        {
            lock (_gate)
            {
                _answers.Add(answer);
                if (_answers.Count >= others)
                {
                    _ = _complete.TrySetResult();
                }
            }
        }
    }
}
