using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Crashes while a queue copies what the source of a subscription held.</summary>
public sealed partial class RecoveryTests
{
    private const int HeldBySource = 600;

    /// <summary>
    /// A crash may cut the log anywhere. After it nothing is copied twice, nothing is left out, and the order is the same.
    /// </summary>
    [Fact]
    public async Task Copying_what_a_source_held_continues_after_a_crash_at_any_moment()
    {
        var before = 0L;
        var original = await WriteAndCrashAsync(async store =>
        {
            await store.PutManyAsync(
                Queue, [.. Enumerable.Range(0, HeldBySource / 2).Select(static number => NewMessage($"{number} {new string('x', 100)}"))])
                .WithTimeout();
            await store.BroadcastAsync(Queue, HeldBySource, int.MaxValue).AsTask().WithTimeout();
            await store.PutManyAsync(
                Queue, [.. Enumerable.Range(HeldBySource / 2, HeldBySource / 2).Select(static number => NewMessage($"{number} x"))])
                .WithTimeout();
            before = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
            await SubscribeFromEarliestAsync(store, Subscribers[0]);
            for (var i = 0; i < 20; i++)
            {
                await PutAsync(store, $"{HeldBySource + i} later");
            }

            await CopiedAsync(store, Subscribers[0]);
        });
        var bytes = await File.ReadAllBytesAsync(Segments(original)[^1]);
        var step = Math.Max(1, (bytes.Length - before) / 40);
        var subscribed = 0;
        for (var length = before; length <= bytes.Length; length += length + step > bytes.Length && length < bytes.Length
            ? bytes.Length - length
            : step)
        {
            using var copy = CopyOf(original);
            await File.WriteAllBytesAsync(Segments(copy.Path)[^1], bytes[..(int)length]);
            var (held, copied) = await RecoverAsync(copy.Path, static async store =>
            {
                var history = await store.ReadHistoryAsync(Queue, 1, 10_000, int.MaxValue).AsTask().WithTimeout();
                var waiting = (await store.BrowseAsync(Queue, MessageState.Ready, null, 10_000).WithTimeout()).Value.Messages;
                if (await store.GetQueueAsync(Subscribers[0]).AsTask().WithTimeout() is null)
                {
                    return (Array.Empty<string>(), Array.Empty<string>());
                }

                await CopiedAsync(store, Subscribers[0]);
                var taken = (await store.TakeAsync(Subscribers[0], 10_000, int.MaxValue).WithTimeout()).Value;
                return (history!.Messages.Concat(waiting).Select(NumberOf).ToArray(), taken.Select(NumberOf).ToArray());
            });

            if (copied.Length > 0)
            {
                subscribed++;
                Assert.Equal(held, copied);
            }
        }

        Assert.InRange(subscribed, 20, int.MaxValue);
    }

    [Fact]
    public async Task A_message_whose_body_only_the_log_has_is_copied_from_there()
    {
        await using var store = await OpenAsync(_directory.Path, cacheBytesMax: 0);
        await store.PutManyAsync(Queue, [.. Enumerable.Range(0, 300).Select(static number => NewMessage($"{number} of the log"))])
            .WithTimeout();

        await SubscribeFromEarliestAsync(store, Subscribers[0]);
        await CopiedAsync(store, Subscribers[0]);

        var taken = (await store.TakeAsync(Subscribers[0], 1000, int.MaxValue).WithTimeout()).Value;
        Assert.Equal(Enumerable.Range(0, 300).Select(static number => $"{number} of the log"), taken.Select(BodyOf));
    }

    private static string NumberOf(Message message) => BodyOf(message).Split(' ')[0];

    private static async Task SubscribeFromEarliestAsync(IMessageStore store, QueueName subscriber)
    {
        var subscription = new QueueSubscription(Queue.Value, FromEarliest: true);
        var patch = new QueueSettingsPatch { Subscriptions = QueueSubscriptions.Of([subscription]) };
        Assert.True((await store.UpdateSettingsAsync(subscriber, patch).WithTimeout()).Ok);
    }

    private static Task CopiedAsync(IMessageStore store, QueueName queue) => Eventually.TrueAsync(
        async () => await store.GetQueueAsync(queue) is not { IsCopying: true }, "what the source held is copied");
}
