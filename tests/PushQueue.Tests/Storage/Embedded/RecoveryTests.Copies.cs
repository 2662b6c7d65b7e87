using System.Text;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Messages of several queues that share one record.</summary>
public sealed partial class RecoveryTests
{
    private static readonly QueueName[] Subscribers = [.. new[] { "billing", "shipping", "audit" }.Select(QueueName.Parse)];

    [Fact]
    public async Task A_body_with_copies_stands_in_the_log_once()
    {
        await using var store = await OpenAsync(_directory.Path);
        await SubscribeAsync(store);

        await PutAsync(store, "<the body>");

        Assert.Single(Positions(await File.ReadAllBytesAsync(Segments(_directory.Path)[^1]), "<the body>"));
    }

    [Fact]
    public async Task Copies_and_subscriptions_survive_a_crash_whole()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await SubscribeAsync(store);
            await PutAsync(store, "one");
            await store.PutManyAsync(Queue, [NewMessage("two", id: "x"), NewMessage("three")]).WithTimeout();
            await store.TakeAsync(Subscribers[0], 1, int.MaxValue).WithTimeout();
            await store.DeleteQueueAsync(Subscribers[2]).WithTimeout();
        });

        var left = await RecoverAsync(
            original,
            async store =>
            {
                var put = await store.PutAsync(Queue, NewMessage("four")).WithTimeout();
                Assert.Equal(2, put.Value.Copies);
                return await EverywhereAsync(store);
            });

        Assert.Equal(["one two three four", "two three four", "one two three four", ""], left);
    }

    /// <summary>A log that is cut anywhere is what a crash may leave: each put is there with all its copies, or not at all.</summary>
    [Fact]
    public async Task A_put_that_a_crash_cuts_off_is_nowhere()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await SubscribeAsync(store);
            await PutAsync(store, "<one>");
            await store.PutManyAsync(Queue, [NewMessage("<two>"), NewMessage("<three>")]).WithTimeout();
        });
        var bytes = await File.ReadAllBytesAsync(Segments(original)[^1]);
        var from = Positions(bytes, "<one>")[0] - 100;
        var to = Math.Min(bytes.Length, Positions(bytes, "<three>")[0] + 30);

        for (var length = from; length <= to; length += 3)
        {
            using var copy = CopyOf(original);
            await File.WriteAllBytesAsync(Segments(copy.Path)[^1], bytes[..length]);
            var left = await RecoverAsync(copy.Path, EverywhereAsync);

            Assert.Contains(left[0], new[] { "", "<one>", "<one> <two> <three>" });
            Assert.All(left, queue => Assert.Equal(left[0], queue));
        }
    }

    [Fact]
    public async Task Copies_are_carried_forward_in_one_record_and_live_on()
    {
        await using (var store = await OpenAsync(_directory.Path, segmentBytes: 4000))
        {
            await SubscribeAsync(store);
            await PutAsync(store, "<the survivor>");
            await store.TakeAsync(Queue, 1, int.MaxValue).WithTimeout();
            for (var i = 0; i < 100; i++)
            {
                var passing = QueueName.Parse("passing");
                await store.PutAsync(passing, NewMessage(new string('x', 500))).WithTimeout();
                await store.TakeAsync(passing, 1, int.MaxValue).WithTimeout();
            }

            await Eventually.TrueAsync(() => Segments(_directory.Path).Count <= 5, "mostly dead segments are deleted");
            await store.TakeAsync(Subscribers[0], 1, int.MaxValue).WithTimeout();
            Assert.Equal(["", "", "<the survivor>", "<the survivor>"], await EverywhereAsync(store, take: false));
        }

        var copies = 0;
        foreach (var segment in Segments(_directory.Path))
        {
            copies += Positions(await File.ReadAllBytesAsync(segment), "<the survivor>").Count;
        }

        Assert.InRange(copies, 1, 2);
        Assert.Equal(["", "", "<the survivor>", "<the survivor>"], await RecoverAsync(_directory.Path, EverywhereAsync));
    }

    [Fact]
    public async Task The_segment_of_a_body_goes_with_its_last_copy()
    {
        await using var store = await OpenAsync(_directory.Path, segmentBytes: 4000);
        await SubscribeAsync(store);
        for (var i = 0; i < 50; i++)
        {
            await PutAsync(store, new string('x', 500));
        }

        foreach (var queue in Subscribers.Append(Queue))
        {
            Assert.True(Segments(_directory.Path).Count > 5);
            await store.TakeAsync(queue, 100, int.MaxValue).WithTimeout();
        }

        await PutAsync(store, new string('x', 5000));
        await Eventually.TrueAsync(() => Segments(_directory.Path).Count <= 4, "dead segments are deleted");
    }

    [Fact]
    public async Task A_disk_that_fills_up_while_puts_are_copied_leaves_each_put_whole_or_nowhere()
    {
        using var mount = TemporaryMount.OrSkip("size=4m");
        var data = Path.Combine(mount.Path, "data");
        using var log = new VerifyingLogger();
        log.ExpectError("full");
        var answered = new List<string>();
        var refused = 0;
        await using (var store = await OpenAsync(data, log))
        {
            await SubscribeAsync(store);
            for (var i = 0; refused < 3; i++)
            {
                // Single puts and batches by turns; a refused one is repeated under its ids by the next round's larger body, or not at all.
                var bodies = Enumerable.Range(0, i % 2 == 0 ? 1 : 4).Select(part => $"{i}.{part}").ToArray();
                var messages = bodies.Select(body => NewMessage(body + new string(' ', 40_000), id: body)).ToArray();
                var ok = messages.Length == 1
                    ? (await store.PutAsync(Queue, messages[0]).WithTimeout()).Ok
                    : (await store.PutManyAsync(Queue, messages).WithTimeout()).Ok;
                refused += ok ? 0 : 1;
                answered.AddRange(ok ? bodies : []);
            }

            await AssertEverywhereAsync(store, answered);
        }

        await RecoverAsync(
            data,
            async store =>
            {
                await AssertEverywhereAsync(store, answered);
                return 0;
            },
            log);
        Assert.NotEmpty(answered);
        log.Verify();
    }

    private static async Task AssertEverywhereAsync(IMessageStore store, List<string> expected)
    {
        foreach (var queue in Subscribers.Prepend(Queue))
        {
            var page = (await store.BrowseAsync(queue, MessageState.Ready, null, 1000).WithTimeout()).Value;
            Assert.Equal(expected, page.Messages.Select(static message => BodyOf(message).TrimEnd()));
        }
    }

    private static async Task SubscribeAsync(IMessageStore store)
    {
        foreach (var subscriber in Subscribers)
        {
            var patch = new QueueSettingsPatch { Subscriptions = QueueSubscriptions.Of([new QueueSubscription(Queue.Value)]) };
            Assert.True((await store.UpdateSettingsAsync(subscriber, patch).WithTimeout()).Ok);
        }
    }

    private static Task<List<string>> EverywhereAsync(IMessageStore store) => EverywhereAsync(store, take: true);

    /// <summary>The bodies in the queue and in its subscribers, a text for each.</summary>
    private static async Task<List<string>> EverywhereAsync(IMessageStore store, bool take)
    {
        var found = new List<string>();
        foreach (var queue in Subscribers.Prepend(Queue))
        {
            var messages = take ? (await store.TakeAsync(queue, 100, int.MaxValue).WithTimeout()).Value
                : (await store.BrowseAsync(queue, MessageState.Ready, null, 100).WithTimeout()).Value.Messages;
            found.Add(string.Join(' ', messages.Select(BodyOf)));
        }

        return found;
    }

    private static List<int> Positions(byte[] bytes, string text)
    {
        var (wanted, found) = (Encoding.UTF8.GetBytes(text), new List<int>());
        for (var at = bytes.AsSpan().IndexOf(wanted); at >= 0;)
        {
            found.Add(at);
            var next = bytes.AsSpan(at + 1).IndexOf(wanted);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return found;
    }
}
