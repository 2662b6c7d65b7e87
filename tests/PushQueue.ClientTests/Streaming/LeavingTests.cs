using PushQueue.Client;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Streaming;

/// <summary>The fate of messages that a stream had received when its program leaves it.</summary>
public sealed class LeavingTests : NodeTests
{
    public static TheoryData<ConsumeTransport> Transports => ResumeTests.Transports;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task All_goes_back_at_once_and_only_what_was_started_has_failed(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutManyAsync(queue, Enumerable.Range(1, 5), TestJson.Default.Int32).WithTimeout();
        var options = new ConsumeOptions { Transport = transport, Ack = AckMode.Manual, Prefetch = 5, Grace = TimeSpan.FromMinutes(10) };
        var started = "";

        await foreach (var message in Node.Client.ConsumeAsync(queue, options))
        {
            started = message.Id;
            await Waiting.UntilAsync(async () => (await Node.Client.GetQueueAsync(queue))!.Leased == 5, "all to be pushed");
            break;
        }

        await AssertBackAsync(queue, 5, started);
    }

    [Theory]
    [InlineData(ConsumeTransport.WebSocket)]
    [InlineData(ConsumeTransport.SignalR)]
    public async Task So_it_is_without_a_grace_time(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutManyAsync(queue, Enumerable.Range(1, 5), TestJson.Default.Int32).WithTimeout();
        var options = new ConsumeOptions { Transport = transport, Ack = AckMode.Manual, Prefetch = 5, Grace = TimeSpan.Zero };
        var started = "";

        await foreach (var message in Node.Client.ConsumeAsync(queue, options))
        {
            started = message.Id;
            await Waiting.UntilAsync(async () => (await Node.Client.GetQueueAsync(queue))!.Leased == 5, "all to be pushed");
            break;
        }

        await AssertBackAsync(queue, 5, started);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task An_ack_that_nobody_waited_for_arrives_before_the_end(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "x").WithTimeout();
        Task<bool>? acking = null;

        await foreach (var message in Node.Client.ConsumeAsync(queue, new ConsumeOptions { Transport = transport, Ack = AckMode.Manual }))
        {
            acking = message.AckAsync();
            break;
        }

        Assert.True(await acking!.WithTimeout());
        Assert.Equal(0, (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Ready);
    }

    [Fact]
    public async Task What_is_cancelled_while_it_waits_in_the_program_is_not_worked_on()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        foreach (var id in (string[])["a", "b", "c"])
        {
            await Node.Client.PutAsync(queue, id, new PutOptions { Id = id }).WithTimeout();
        }

        var stream = Node.Client.ConsumeAsync(queue, new ConsumeOptions { Ack = AckMode.Manual, Prefetch = 3 });
        var cancelled = new SemaphoreSlim(0);
        stream.Cancelled += _ => cancelled.Release();
        var got = new List<string>();
        await foreach (var message in stream)
        {
            got.Add(message.Id);
            if (message.Id == "a")
            {
                await Waiting.UntilAsync(async () => (await Node.Client.GetQueueAsync(queue))!.Leased == 3, "all to be pushed");
                await Node.Client.CancelAsync(queue, "b").WithTimeout();
                await cancelled.WaitAsync().WithTimeout();
            }
            else if (message.Id == "c")
            {
                break;
            }
        }

        Assert.Equal(["a", "c"], got);
    }

    private async Task AssertBackAsync(string queue, int count, string started)
    {
        // Long before the grace time is over.
        await Waiting.UntilAsync(async () => (await Node.Client.GetQueueAsync(queue))!.Ready == count, "all to be back");
        var back = await Node.Client.TakeManyAsync(queue, 10).WithTimeout();
        Assert.All(back, message => Assert.Equal(message.Id == started ? 2 : 1, message.Attempt));
        Assert.Contains(started, back.Select(message => message.Id));
    }
}
