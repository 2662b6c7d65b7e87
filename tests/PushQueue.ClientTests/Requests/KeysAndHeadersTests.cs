using PushQueue.Client;
using PushQueue.ClientTests.Streaming;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Requests;

/// <summary>Key, headers and filters through every call that has them.</summary>
public sealed class KeysAndHeadersTests : NodeTests
{
    private static readonly Dictionary<string, string> Headers = new(StringComparer.Ordinal)
    {
        ["Tenant"] = "7", ["text"] = "ü, 50% \"x\" \u2028", ["empty"] = "", ["spaced"] = " x ", ["marked"] = "utf-8''x",
    };

    public static TheoryData<ConsumeTransport> Transports => ResumeTests.Transports;

    [Fact]
    public async Task Key_and_headers_come_back_as_they_were_put()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        var options = new PutOptions { Key = "customer ü/%", Headers = Headers };

        await Node.Client.PutAsync(queue, "one", options).WithTimeout();
        await Node.Client.PutManyAsync(queue, [PutMessage.Text("two", options)]).WithTimeout();
        await Node.Client.PutManyAsync(queue, [3], TestJson.Default.Int32, options).WithTimeout();
        await Node.Client.PutAsync(queue, "plain").WithTimeout();

        var single = await Node.Client.TakeAsync(queue).WithTimeout();
        var many = await Node.Client.TakeManyAsync(queue, 3).WithTimeout();
        foreach (var message in (Message[])[single!, many[0], many[1]])
        {
            Assert.Equal("customer ü/%", message.Key);
            Assert.Equal(
                Headers.OrderBy(static header => header.Key.ToLowerInvariant(), StringComparer.Ordinal)
                    .Select(static header => (header.Key.ToLowerInvariant(), header.Value)),
                message.Headers.OrderBy(static header => header.Key, StringComparer.Ordinal)
                    .Select(static header => (header.Key, header.Value)));
            Assert.Equal("7", message.Headers["TENANT"]);
        }

        Assert.Null(many[2].Key);
        Assert.Empty(many[2].Headers);
    }

    [Fact]
    public async Task A_take_with_conditions_gets_what_fits()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await PutAsync(queue, ("a", "1", null), ("b", "2", "eu"), ("c", "2", null), ("d", "3", "eu"));

        Assert.Equal("b", (await Node.Client.TakeAsync(queue, where: ["t=2|3", "region"]).WithTimeout())!.Text);
        Assert.Null(await Node.Client.TakeAsync(queue, where: ["t=4"]).WithTimeout());
        Assert.Equal("c", (await Node.Client.LeaseAsync(queue, TimeSpan.FromMinutes(1), where: ["t=2"]).WithTimeout())!.Text);
        Assert.Equal(
            ["a", "d"], (await Node.Client.TakeManyAsync(queue, 10, where: ["t"]).WithTimeout()).Select(static message => message.Text));
        var error = await Assert.ThrowsAsync<PushQueueException>(() => Node.Client.TakeAsync(queue, where: ["a b=1"])).WithTimeout();
        Assert.Equal(ProblemTypes.BadOption, error.Type);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_stream_with_conditions_gets_what_fits(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await using var stream = Node.Client.ConsumeAsync(
            queue, new ConsumeOptions { Transport = transport, From = "earliest", Where = ["t=2|3", "region"] }).GetAsyncEnumerator();
        await PutAsync(queue, ("a", "1", "eu"), ("b", "2", "eu"), ("c", "2", null), ("d", "3", "us"));

        Assert.True(await stream.MoveNextAsync().AsTask().WithTimeout());
        Assert.Equal(("b", "eu"), (stream.Current.Text, stream.Current.Headers["region"]));
        Assert.True(await stream.MoveNextAsync().AsTask().WithTimeout());
        Assert.Equal("d", stream.Current.Text);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_stream_begins_with_the_newest_message_of_each_key(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await Node.Client.ChangeSettingsAsync(
            queue, new QueueSettingsChange { History = new HistorySettings { Messages = 1, PerKey = true } }).WithTimeout();
        await using var first = Node.Client.ConsumeAsync(queue, new ConsumeOptions { From = "earliest" }).GetAsyncEnumerator();
        foreach (var (key, text) in ((string, string)[])[("a", "a1"), ("b", "b1"), ("a", "a2"), ("c", "c1")])
        {
            await Node.Client.PutAsync(queue, text, new PutOptions { Key = key }).WithTimeout();
            Assert.True(await first.MoveNextAsync().AsTask().WithTimeout());
        }

        await using var late = Node.Client.ConsumeAsync(queue, new ConsumeOptions { Transport = transport, From = "latest-per-key" })
            .GetAsyncEnumerator();
        foreach (var text in (string[])["b1", "a2", "c1"])
        {
            Assert.True(await late.MoveNextAsync().AsTask().WithTimeout());
            Assert.Equal(text, late.Current.Text);
        }

        await Node.Client.PutAsync(queue, "live").WithTimeout();
        Assert.True(await late.MoveNextAsync().AsTask().WithTimeout());
        Assert.Equal("live", late.Current.Text);
        Assert.EndsWith(".5", late.Current.Cursor, StringComparison.Ordinal);
    }

    private async Task PutAsync(string queue, params (string Text, string T, string? Region)[] messages)
    {
        foreach (var (text, t, region) in messages)
        {
            var headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["t"] = t };
            if (region is not null)
            {
                headers["region"] = region;
            }

            await Node.Client.PutAsync(queue, text, new PutOptions { Headers = headers }).WithTimeout();
        }
    }
}
