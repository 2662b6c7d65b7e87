using System.Globalization;
using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using StackExchange.Redis;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>
/// The plain case of a script (Part.Plain*.lua) does what the rest of the script would do: the same calls go to two queues, to one of them
/// without the plain case. Answers, data and notifications are compared after each call.
/// </summary>
public sealed class RedisPlainScriptTests(SharedRedis redis)
{
    private const string PlainEnd = "  if reply then return reply end\nend\n";

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, 0.5)]
    [InlineData(3, 2, 0.9)]
    [InlineData(4, 0, 0.5)]
    public async Task The_plain_case_answers_stores_and_notifies_as_the_rest_of_the_script_does(int seed, int keyInFlight, double keyed)
    {
        var options = await redis.OptionsAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options.Configuration).WithTimeout();
        await using var plain = await Side.OpenAsync(connection, options.KeyPrefix + "a", splits: true);
        await using var whole = await Side.OpenAsync(connection, options.KeyPrefix + "b", splits: false);
        var calls = new RandomCalls(new Random(seed), keyed);
        foreach (var side in new[] { plain, whole })
        {
            await side.SetAsync(new HashEntry("keylimit", keyInFlight));
        }

        for (var step = 0; step < 1000; step++)
        {
            var (script, arguments) = calls.Next();
            var (answer, expected) = (await plain.RunAsync(script, arguments), await whole.RunAsync(script, arguments));

            Assert.Equal(expected, answer);
            Assert.Equal(await whole.DataAsync(), await plain.DataAsync());
            calls.Learn(script, answer);
            if (calls.Setting() is { } setting)
            {
                await plain.SetAsync(setting);
                await whole.SetAsync(setting);
            }
        }

        // A packet of its own at the end, so that all before it have arrived.
        await plain.EndAsync();
        await whole.EndAsync();
        Assert.Equal(whole.Heard, plain.Heard);
        foreach (var script in new[] { RedisScript.Put, RedisScript.Take, RedisScript.Lease, RedisScript.Ack })
        {
            Assert.InRange(plain.Answered(script), 10, int.MaxValue);
            Assert.InRange(plain.LeftToTheRest(script), 10, int.MaxValue);
        }
    }

    /// <summary>Calls as a node makes them, most of them plain.</summary>
    private sealed class RandomCalls(Random random, double keyed)
    {
        private readonly List<(string Id, byte[] Receipt)> _leases = [];
        private long _now = 1_700_000_000_000;
        private byte[] _receipts = [];
        private int _ids;

        public (RedisScript Script, List<RedisValue> Arguments) Next()
        {
            _now += random.Next(30) == 0 ? 4000 : random.Next(20);
            List<RedisValue> arguments = [_now, "4503599627370497jobs"];
            switch (random.Next(20))
            {
                case < 8:
                    arguments.Add(random.Next(2));
                    var plain = random.Next(12) > 0;
                    for (var i = random.Next(1, 4); i > 0; i--)
                    {
                        var message = Message(plain);
                        arguments.Add(RedisRecord.Pack(message, _now));
                        arguments.Add(plain || random.Next(3) > 0 ? "0" : RedisArguments.Text(_now + random.Next(-500, 3000)));
                    }

                    return (RedisScript.Put, arguments);
                case < 11:
                    arguments.AddRange(
                    [
                        random.Next(1, 4), random.Next(20) == 0 ? 1 : 0, string.Empty, random.Next(5) == 0 ? 12 : 1000,
                        random.Next(8) == 0 ? 0 : 1,
                        random.Next(9) == 0 ? 9 : 1000, random.Next(9) == 0 ? 9 : 1000, string.Empty, string.Empty,
                    ]);
                    return (RedisScript.Take, arguments);
                case < 15:
                    var count = random.Next(1, 4);
                    _receipts = new byte[8 * count];
                    random.NextBytes(_receipts);
                    arguments.AddRange(
                    [
                        count, random.Next(5) == 0 ? 12 : 1000, _now + random.Next(2000, 30000), "0",
                        random.Next(2) == 0 ? "worker" : string.Empty,
                        random.Next(9) == 0 ? 1 : random.Next(9) == 0 ? 2 : 0, _receipts, string.Empty, string.Empty, 0, 0, 0, string.Empty,
                        string.Empty,
                    ]);
                    return (RedisScript.Lease, arguments);
                case < 19:
                    for (var i = random.Next(1, 3); i > 0; i--)
                    {
                        AddLease(arguments);
                    }

                    return (RedisScript.Ack, arguments);
                default:
                    arguments.AddRange([string.Empty, "1failed", 1, string.Empty, string.Empty, 0, 0]);
                    AddLease(arguments);
                    return (RedisScript.Release, arguments);
            }
        }

        public void Learn(RedisScript script, string[] answer)
        {
            if (script == RedisScript.Lease)
            {
                for (var i = 3; i < answer.Length; i += 2)
                {
                    var status = Convert.FromHexString(answer[i]);
                    var number = Encoding.ASCII.GetString(status, 0, 15).TrimStart('0');
                    _leases.Add((number, _receipts[(8 * ((i - 3) / 2))..(8 * (((i - 3) / 2) + 1))]));
                }
            }
        }

        /// <summary>A field of the queue's hash and its value, now and then.</summary>
        public HashEntry? Setting() => random.Next(60) switch
        {
            0 => new HashEntry("stopped", "1"),
            1 or 2 or 3 => new HashEntry("stopped", "0"),
            4 => new HashEntry("maxmsgs", "40"),
            5 or 6 or 7 or 14 or 15 or 16 => new HashEntry("maxmsgs", RedisValue.Null),
            8 => new HashEntry("expires", "36000000000"),
            9 => new HashEntry("expires", RedisValue.Null),
            10 => new HashEntry("filtered", (_now + 200).ToString(CultureInfo.InvariantCulture)),
            11 => new HashEntry("listed", "1"),
            12 => new HashEntry("dedup", "20000000"),
            13 => new HashEntry("idmax", "200"),
            _ => null,
        };

        private void AddLease(List<RedisValue> arguments)
        {
            var (id, receipt) = (random.Next(1, 500).ToString(CultureInfo.InvariantCulture), new byte[8]);
            if (_leases.Count > 0 && random.Next(12) > 0)
            {
                var at = _leases.Count - 1 - random.Next(Math.Min(3, _leases.Count));
                (id, receipt) = _leases[at];
                if (random.Next(12) > 0)
                {
                    _leases.RemoveAt(at);
                }
            }

            arguments.Add(id);
            arguments.Add(receipt);
        }

        private NewMessage Message(bool plain)
        {
            var message = new NewMessage
            {
                Body = Encoding.UTF8.GetBytes(new string('x', random.Next(12))),
                ContentType = "text/plain",
                Priority = random.Next(4) == 0 ? random.Next(10) : 5,
                TraceParent = random.Next(8) == 0 ? "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" : null,
            };
            if (plain)
            {
                return random.NextDouble() < keyed ? message with { Key = $"key{random.Next(6)}" } : message;
            }

            if (random.NextDouble() < keyed)
            {
                message = message with { Key = $"key{random.Next(6)}" };
            }

            return random.Next(6) switch
            {
                0 => message with { Id = MessageId.Parse($"id{_ids++ / 2}") },
                1 => message with { UniqueKey = $"unique{random.Next(5)}" },
                2 => message with { RetryDelay = new RetryDelay(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)) },
                3 => message with { TimeToLive = TimeSpan.FromSeconds(random.Next(1, 5)) },
                4 => message with { MaxAttempts = 2 },
                _ => message,
            };
        }
    }

    /// <summary>A queue, and the scripts on it: whole, or first the plain case and then the rest.</summary>
    private sealed class Side : IAsyncDisposable
    {
        private readonly IDatabase _database;
        private readonly string _key;
        private readonly bool _splits;
        private readonly RedisScripts _scripts;
        private readonly ISubscriber _subscriber;
        private readonly RedisChannel _channel;
        private readonly List<string> _heard = [];
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Dictionary<(RedisScript Script, bool Plain), int> _runs = [];

        private Side(ConnectionMultiplexer connection, string prefix, bool splits)
        {
            var keys = new RedisKeys(prefix, 0);
            _database = connection.GetDatabase();
            _key = keys.Queue(QueueName.Parse("jobs"))!;
            _splits = splits;
            _subscriber = connection.GetSubscriber();
            _channel = RedisChannel.Literal(keys.Notifications);
            _scripts = new RedisScripts("first", keys.Notifications, keys.Subscriptions);
        }

        public IReadOnlyList<string> Heard => _heard;

        public static async Task<Side> OpenAsync(ConnectionMultiplexer connection, string prefix, bool splits)
        {
            var side = new Side(connection, prefix, splits);
            var queue = await side._subscriber.SubscribeAsync(side._channel).WithTimeout();
            queue.OnMessage(message => side.Hear((byte[])message.Message!));
            return side;
        }

        public int Answered(RedisScript script) => _runs.GetValueOrDefault((script, true));

        public int LeftToTheRest(RedisScript script) => _runs.GetValueOrDefault((script, false));

        public async Task<string[]> RunAsync(RedisScript script, List<RedisValue> arguments)
        {
            var (plain, rest) = Split(_scripts.Texts[(int)script]);
            if (_splits && plain is not null)
            {
                var answer = await EvaluateAsync(plain, arguments);
                _runs[(script, answer is not null)] = _runs.GetValueOrDefault((script, answer is not null)) + 1;
                if (answer is not null)
                {
                    return answer;
                }
            }

            return (await EvaluateAsync(rest, arguments))!;
        }

        public async Task SetAsync(HashEntry setting)
        {
            if (setting.Value.IsNull)
            {
                _ = await _database.HashDeleteAsync(_key, setting.Name).WithTimeout();
            }
            else
            {
                _ = await _database.HashSetAsync(_key, setting.Name, setting.Value).WithTimeout();
            }
        }

        /// <summary>All that Redis holds of the queue, a line each.</summary>
        public async Task<IReadOnlyList<string>> DataAsync()
        {
            var lines = new List<string>();
            foreach (var entry in await _database.HashGetAllAsync(_key).WithTimeout())
            {
                // The epoch is made of the time of Redis.
                if (entry.Name != "epoch")
                {
                    lines.Add($"{entry.Name} {entry.Value}");
                }
            }

            foreach (var suffix in new[] { ":messages", ":states", ":ids", ":keys", ":keyed" })
            {
                foreach (var entry in await _database.HashGetAllAsync(_key + suffix).WithTimeout())
                {
                    lines.Add($"{suffix} {entry.Name} {Hex(entry.Value)}");
                }
            }

            foreach (var suffix in new[] { ":ready", ":delayed", ":leased", ":expiring", ":blocked", ":line", ":keynames", ":known" })
            {
                foreach (var entry in await _database.SortedSetRangeByRankWithScoresAsync(_key + suffix).WithTimeout())
                {
                    lines.Add($"{suffix} {Hex(entry.Element)} {entry.Score:R}");
                }
            }

            lines.Sort(StringComparer.Ordinal);
            return lines;
        }

        public async Task EndAsync()
        {
            _ = await _subscriber.PublishAsync(_channel, "end").WithTimeout();
            await _ended.Task.WithTimeout();
        }

        public async ValueTask DisposeAsync() => await _subscriber.UnsubscribeAsync(_channel).WithTimeout();

        private static (string? Plain, string General) Split(string text)
        {
            var from = text.IndexOf("do\n  local function plain_", StringComparison.Ordinal);
            if (from < 0)
            {
                return (null, text);
            }

            var to = text.IndexOf(PlainEnd, from, StringComparison.Ordinal) + PlainEnd.Length;
            return (text[..to], text[..from] + text[to..]);
        }

        private async Task<string[]?> EvaluateAsync(string text, List<RedisValue> arguments)
        {
            var result = await _database.ScriptEvaluateAsync(text, [_key], [.. arguments]).WithTimeout();
            return result.IsNull ? null : Array.ConvertAll((RedisValue[])result!, static value => Shown(value));
        }

        private void Hear(byte[] packet)
        {
            if (packet.AsSpan().SequenceEqual("end"u8))
            {
                _ = _ended.TrySetResult();
                return;
            }

            _heard.Add(Convert.ToHexString(packet));
        }

        // Numbers and texts of them are one to the node.
        private static string Shown(RedisValue value) =>
            value.TryParse(out long number) ? number.ToString(CultureInfo.InvariantCulture) : Hex(value);

        private static string Hex(RedisValue value) => Convert.ToHexString((byte[])value!);
    }
}
