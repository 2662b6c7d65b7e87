using System.Buffers.Binary;
using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>
/// Data folders of known content over several segments, for tests that spoil copies of them: one as a killed process leaves it, one as an
/// orderly stop leaves it, and one of another store.
/// </summary>
public sealed class LogFolder : IAsyncLifetime
{
    private const int Queues = 4;
    private const int Rounds = 16;
    private const int SegmentBytes = 6000;

    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, byte[]> _records = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly HashSet<string> _live = new(StringComparer.Ordinal);

    public string Crashed => _directory.File("crashed");

    public string Stopped => _directory.File("stopped");

    public string Foreign => _directory.File("foreign");

    /// <summary>The bodies of all messages that are there.</summary>
    public IReadOnlySet<string> Live => _live;

    /// <summary>The bodies of messages that were taken.</summary>
    public IReadOnlySet<string> Taken => _taken;

    public async ValueTask InitializeAsync()
    {
        await WriteAsync(Stopped, "", Crashed);
        await WriteAsync(Foreign, "foreign ", _directory.File("foreign-crashed"));
        foreach (var file in Segments(Stopped))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            foreach (var record in RecordsIn(bytes).Where(static record => record.Type == RecordType.Message))
            {
                var text = Encoding.UTF8.GetString(bytes, record.Offset, record.Length);
                var body = text[text.LastIndexOf('<')..];
                if (_live.Contains(body))
                {
                    _records[body] = bytes[record.Offset..(record.Offset + record.Length)];
                }
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The record of a message, as it stands on disk.</summary>
    internal ReadOnlySpan<byte> RecordOf(string body) => _records[body];

    internal static List<string> Segments(string path) => [.. Directory.GetFiles(path, "segment-*.log").Order(StringComparer.Ordinal)];

    internal static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from).Where(static file => Path.GetFileName(file) is not ("lock" or "reserve")))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }

    internal static async Task<EmbeddedMessageStore> OpenAsync(string path, VerifyingLogger log)
    {
        var options = new EmbeddedStoreOptions
        {
            DataDirectory = path, Durability = Durability.Memory, SegmentBytes = SegmentBytes, ReserveBytes = 1024,
        };
        var store = new EmbeddedMessageStore(options, TimeProvider.System, log);
        try
        {
            await store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>The bodies of all messages of all queues. Damage may have taken a queue's name.</summary>
    internal static async Task<List<string>> ReadAsync(IMessageStore store)
    {
        var bodies = new List<string>();
        foreach (var info in (await store.ListQueuesAsync(null, 100).WithTimeout()).Queues)
        {
            var page = await store.BrowseAsync(info.Name, MessageState.Ready, after: null, limit: 1000).WithTimeout();
            bodies.AddRange(page.Value.Messages.Select(static message => Encoding.UTF8.GetString(message.Body.Span)));
        }

        return bodies;
    }

    /// <summary>Opens a folder and reads all messages.</summary>
    internal static async Task<List<string>> ReadAsync(string path, VerifyingLogger log)
    {
        await using var store = await OpenAsync(path, log);
        return await ReadAsync(store);
    }

    internal static async Task PutAsync(IMessageStore store, QueueName queue, params string[] bodies)
    {
        var messages = bodies.Select(static body => new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain" })
            .ToList();
        var outcome = await store.PutManyAsync(queue, messages).WithTimeout();
        Assert.True(outcome.Ok, outcome.Detail);
    }

    /// <summary>The records of an undamaged segment.</summary>
    internal static List<(int Offset, RecordType Type, int Length)> RecordsIn(byte[] bytes)
    {
        var records = new List<(int Offset, RecordType Type, int Length)>();
        for (var at = 0; at + RecordHeader.Size <= bytes.Length && bytes[at + 2] != 0;)
        {
            var length = RecordHeader.Size + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            records.Add((at, (RecordType)bytes[at + 2], length));
            at += length;
        }

        return records;
    }

    private static bool HasMessages(string file) =>
        RecordsIn(File.ReadAllBytes(file)).Exists(static record => record.Type == RecordType.Message);

    private async Task WriteAsync(string path, string prefix, string crashed)
    {
        using var log = new VerifyingLogger();
        await using (var store = await OpenAsync(path, log))
        {
            for (var round = 0; round < Rounds; round++)
            {
                for (var number = 0; number < Queues; number++)
                {
                    var queue = QueueName.Parse($"queue{number}");
                    string[] bodies = [.. Enumerable.Range(0, 4).Select(i => $"<{prefix}{number}.{round:D2}.{i} {new string('x', 100)}>")];
                    await PutAsync(store, queue, bodies[0]);
                    await PutAsync(store, queue, bodies[1..]);
                    if (prefix.Length == 0)
                    {
                        _live.UnionWith(bodies);
                    }

                    if (round % 8 == 7)
                    {
                        var taken = await store.TakeAsync(queue, 1, int.MaxValue).WithTimeout();
                        var body = Encoding.UTF8.GetString(taken.Value[0].Body.Span);
                        _live.Remove(body);
                        _taken.Add(body);
                    }
                }
            }

            // The last segment may just have begun; the tests need messages in it.
            for (var extra = 0; extra == 0 || !HasMessages(Segments(crashed)[^1]); extra++)
            {
                string[] bodies = [$"<{prefix}0.extra.{extra} {new string('x', 100)}>"];
                await PutAsync(store, QueueName.Parse("queue0"), bodies);
                if (prefix.Length == 0)
                {
                    _live.UnionWith(bodies);
                }

                Copy(path, crashed);
            }
        }

        log.Verify();
    }
}
