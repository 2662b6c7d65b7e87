using System.Collections.Concurrent;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    private const int Workers = 8;

    [Fact]
    public async Task Many_puts_and_takes_at_once_lose_and_duplicate_nothing()
    {
        const int Each = 200;
        var taken = new ConcurrentBag<string>();
        var putters = Enumerable.Range(0, Workers).Select(putter => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
            {
                await Put($"{putter}.{i}");
            }
        }));
        var takers = Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            while (taken.Count < Workers * Each)
            {
                foreach (var message in await Take(3))
                {
                    taken.Add(BodyOf(message));
                }

                await Task.Yield();
            }
        }));

        await Task.WhenAll(putters.Concat(takers)).WithTimeout();

        Assert.Equal(Workers * Each, taken.Distinct().Count());
        Assert.Equal(Workers * Each, taken.Count);
        Assert.Equal(0, (await Info()).Waiting);
    }

    [Fact]
    public async Task Messages_of_one_putter_come_out_in_its_order()
    {
        const int Each = 100;
        var putters = Enumerable.Range(0, Workers).Select(putter => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
            {
                await Put($"{putter} {i}");
            }
        }));

        await Task.WhenAll(putters).WithTimeout();

        var byPutter = (await TakeAll()).Select(body => body.Split(' ')).ToLookup(parts => parts[0], parts => int.Parse(parts[1]));
        Assert.Equal(Workers, byPutter.Count);
        Assert.All(byPutter, own => Assert.Equal(Enumerable.Range(0, Each), own));
    }

    [Fact]
    public async Task Many_workers_lease_every_message_once()
    {
        const int Count = 500;
        await TryPutMany([.. Enumerable.Range(0, Count).Select(number => NewMessage($"{number}"))]);
        var done = new ConcurrentBag<string>();

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            while (await LeaseMany(2) is { Count: > 0 } leases)
            {
                foreach (var lease in leases)
                {
                    done.Add(BodyOf(lease.Message));
                    Assert.Equal(QueueError.None, await Ack(lease));
                }
            }
        }))).WithTimeout();

        Assert.Equal(Count, done.Count);
        Assert.Equal(Count, done.Distinct().Count());
        Assert.Equal(Count, (await Info()).Counters.Acked);
    }

    [Fact]
    public async Task Of_many_puts_with_one_id_one_is_stored()
    {
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(number => Task.Run(() => TryPut(NewMessage($"{number}", id: "x"))))).WithTimeout();

        Assert.Single(outcomes, outcome => !outcome.Value.Duplicate);
        Assert.Single(await TakeAll());
    }

    [Fact]
    public async Task Of_many_puts_with_one_unique_key_one_is_stored()
    {
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(number => Task.Run(() => TryPut(NewMessage($"{number}", uniqueKey: "key"))))).WithTimeout();

        Assert.Single(outcomes, outcome => outcome.Ok);
        Assert.Equal(49, outcomes.Count(outcome => outcome.Error == QueueError.UniqueKeyTaken));
        Assert.Single(await TakeAll());
    }

    [Fact]
    public async Task A_duplicate_answer_promises_as_much_as_the_first()
    {
        var puts = Enumerable.Range(0, 50).Select(number => Task.Run(async () =>
        {
            await TryPut(NewMessage($"{number}", id: "x"));
            return await TryFind(MessageId.Parse("x"));
        }));

        var found = await Task.WhenAll(puts).WithTimeout();

        Assert.All(found, Assert.NotNull);
    }

    [Fact]
    public async Task Of_many_acks_of_one_lease_one_succeeds()
    {
        await Put("a");
        var lease = await LeaseOne();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => Ack(lease)))).WithTimeout();

        Assert.Single(answers, answer => answer == QueueError.None);
        Assert.Equal(1, (await Info()).Counters.Acked);
    }

    [Fact]
    public async Task A_full_queue_stays_within_its_limit_under_many_puts()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 10 });

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(number => Task.Run(() => TryPut(NewMessage($"{number}"))))).WithTimeout();

        Assert.Equal(10, outcomes.Count(outcome => outcome.Ok));
        Assert.Equal(10, (await TakeAll()).Length);
    }

    [Fact]
    public async Task Many_broadcasts_at_once_give_every_offset_once()
    {
        const int Count = 300;
        await TryPutMany([.. Enumerable.Range(0, Count).Select(number => NewMessage($"{number}"))]);
        var sent = new ConcurrentBag<Message>();

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            while (await Broadcast(7) is { Count: > 0 } messages)
            {
                foreach (var message in messages)
                {
                    sent.Add(message);
                }
            }
        }))).WithTimeout();

        var byOffset = sent.OrderBy(message => message.Offset).ToList();
        Assert.Equal(Enumerable.Range(1, Count).Select(offset => (long)offset), OffsetsOf(byOffset));
        Assert.Equal(Enumerable.Range(0, Count).Select(number => $"{number}"), BodiesOf(byOffset));
        Assert.Equal(BodiesOf(byOffset), BodiesOf((await History(1)).Messages));
    }

    [Fact]
    public async Task Operations_of_every_kind_at_once_leave_a_queue_that_adds_up()
    {
        var workers = Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 60; i++)
            {
                await AnyOperation(random);
            }
        }));
        await Task.WhenAll(workers).WithTimeout();

        var info = await Info();

        var browsed = new[] { MessageState.Ready, MessageState.Delayed, MessageState.Leased };
        var messages = new List<Message>();
        foreach (var state in browsed)
        {
            messages.AddRange((await Store.BrowseAsync(Queue, state, null, 1000).WithTimeout()).Value.Messages);
        }

        var counters = info.Counters;
        Assert.Equal(info.Waiting, messages.Count);
        Assert.Equal(info.Bytes, messages.Sum(message => message.Body.Length));
        Assert.Equal(info.Waiting, messages.Select(message => message.Id).Distinct().Count());
        Assert.Equal(counters.Put, counters.Delivered + counters.Cancelled + counters.DeadLettered + info.Waiting);
    }

    private async Task AnyOperation(Random random)
    {
        switch (random.Next(9))
        {
            case 0 or 1 or 2:
                await TryPut(NewMessage($"{random.Next()}", id: random.Next(2) == 0 ? null : $"{random.Next(20)}"));
                break;
            case 3:
                await TryPut(NewMessage("delayed", delay: Seconds(random.Next(100)), uniqueKey: $"{random.Next(3)}"));
                break;
            case 4:
                await Take(2);
                break;
            case 5 when await LeaseMany(2) is [var lease, ..]:
                _ = random.Next(2) == 0 ? await Ack(lease) : await Release(lease);
                break;
            case 6:
                await Cancel(MessageId.FromNumber(random.Next(1, 40)));
                break;
            case 7:
                await Reschedule(MessageId.FromNumber(random.Next(1, 40)), Seconds(random.Next(10)));
                break;
            default:
                await Broadcast(1);
                break;
        }
    }
}
