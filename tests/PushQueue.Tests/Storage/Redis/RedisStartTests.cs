using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>
/// The reason that keeps a store from opening is one sentence that says what to do: in the log, while it may repair itself and the store
/// waits; else as the error that ends the start.
/// </summary>
public sealed class RedisStartTests
{
    [Fact]
    public async Task Nobody_at_the_address_is_waited_for()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis.Address));
        await redis.KillAsync();

        var opening = stores.OpenAsync();
        var sentence = await WaitingSentenceAsync(stores.Log);
        await redis.StartAgainAsync();
        await RedisStores.PutAsync(await opening, "a");

        Assert.StartsWith($"Redis at {redis.Address} cannot be reached", sentence, StringComparison.Ordinal);
        Assert.Contains("Check the address", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_that_does_not_answer_in_time_is_waited_for()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis.Address));
        redis.Freeze();
        Task<RedisMessageStore> opening;
        try
        {
            opening = stores.OpenAsync();
            Assert.Contains("does not answer", await WaitingSentenceAsync(stores.Log), StringComparison.Ordinal);
        }
        finally
        {
            redis.Thaw();
        }

        await RedisStores.PutAsync(await opening, "a");
    }

    [Fact]
    public async Task A_first_INFO_that_takes_too_long_does_not_end_the_start()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new TcpProxy(redis.Port);
        await using var stores = new RedisStores(OptionsOf(proxy.Address));
        var infos = 0;
        proxy.Tamper = piece =>
        {
            // The first few are the client library's own.
            if (piece.Span.IndexOf("INFO"u8) >= 0 && Interlocked.Increment(ref infos) > 2)
            {
                proxy.Freeze();
            }
        };

        var opening = stores.OpenAsync();
        var sentence = await WaitingSentenceAsync(stores.Log);
        proxy.Tamper = null;
        proxy.Thaw();
        await RedisStores.PutAsync(await opening, "a");

        Assert.Contains("does not answer", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_waits_for_Redis_can_be_stopped()
    {
        using var log = new VerifyingLogger();
        using var stopping = new CancellationTokenSource();
        await using var store = new RedisMessageStore(OptionsOf($"127.0.0.1:{RedisServer.FreePort()}"), TimeProvider.System, log);

        var opening = store.OpenAsync(new RecordingListener(), stopping.Token);
        await WaitingSentenceAsync(log);
        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening.WithTimeout());
    }

    [Fact]
    public async Task A_Redis_that_is_too_old()
    {
        await using var redis = new FakeRedis("4.0.0");

        var sentence = await SentenceAsync(redis.Address);

        Assert.Contains("is version 4.0.0; PushQueue needs 7.0 or newer", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_another_program_where_the_nodes_meet()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.CommandAsync("SET", "pq:{nodes}", "mine");

        var sentence = await SentenceAsync(redis.Address);

        Assert.Contains("key of another program", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_out_of_memory_can_be_joined_so_that_its_messages_can_be_taken()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis.Address));
        var first = await stores.OpenAsync();
        await RedisStores.PutAsync(first, "a");
        await redis.CommandAsync("CONFIG", "SET", "maxmemory", "1");

        var second = await stores.OpenAsync();

        Assert.Equal(["a"], await RedisStores.TakeAllAsync(second));
        Assert.Contains(
            "out of memory",
            (await second.PutAsync(RedisStores.Queue, RedisStores.Message("b"))).Detail,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Something_else_at_the_address()
    {
        using var stranger = new TcpListener(IPAddress.Loopback, 0);
        stranger.Start();
        var port = ((IPEndPoint)stranger.LocalEndpoint).Port;
        using var stop = new CancellationTokenSource();
        var answering = AnswerAsync(stranger, "HTTP/1.1 400 Bad Request\r\n\r\n", stop.Token);

        var sentence = await SentenceAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"));

        Assert.Contains("is not a Redis server", sentence, StringComparison.Ordinal);
        await stop.CancelAsync();
        await answering;
    }

    [Fact]
    public async Task A_password_that_is_missing_or_wrong_is_never_shown()
    {
        await using var redis = await RedisServer.StartAsync("--requirepass", "right");

        var missing = await SentenceAsync(redis.Address);
        var wrong = await SentenceAsync($"{redis.Address},password=wrong");
        await using var stores = new RedisStores(new RedisStoreOptions { Configuration = $"{redis.Address},password=right" });
        await RedisStores.PutAsync(await stores.OpenAsync(), "a");

        Assert.Contains("requires a user name or a password", missing, StringComparison.Ordinal);
        Assert.Contains("refuses the user name or the password", wrong, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_without_its_user_does_not_lead_in_a_circle()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var superfluous = new RedisStores(OptionsOf($"{redis.Address},password=secret"));
        await RedisStores.PutAsync(await superfluous.OpenAsync(), "a");
        await redis.CommandAsync("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all");
        await redis.CommandAsync("ACL", "SETUSER", "admin", "on", ">secret", "~*", "&*", "+@all");
        Assert.StartsWith("+OK", await redis.CommandAsync("ACL", "SETUSER", "default", "off"), StringComparison.Ordinal);

        var nothing = await SentenceAsync(redis.Address);
        var passwordAlone = await SentenceAsync($"{redis.Address},password=secret");
        var wrongUser = await SentenceAsync($"{redis.Address},user=apq,password=secret");
        await using var stores = new RedisStores(OptionsOf($"{redis.Address},user=app,password=secret"));
        await RedisStores.PutAsync(await stores.OpenAsync(), "a");

        Assert.Contains("requires a user name or a password", nothing, StringComparison.Ordinal);
        Assert.Contains("together with a user name", passwordAlone, StringComparison.Ordinal);
        Assert.Contains("refuses the user name or the password", wrongUser, StringComparison.Ordinal);
        Assert.All(
            [nothing, passwordAlone, wrongUser],
            static sentence => Assert.DoesNotContain("secret", sentence, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_database_that_Redis_does_not_have()
    {
        await using var redis = await RedisServer.StartAsync("--databases", "2");

        var sentence = await SentenceAsync($"redis://{redis.Address}/2");

        Assert.Contains("has no database 2", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replica()
    {
        await using var master = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {master.Port}");

        var sentence = await SentenceAsync(replica.Address);

        Assert.Contains("takes no writes", sentence, StringComparison.Ordinal);
        Assert.Contains("master", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost:99999999999")]
    [InlineData("")]
    [InlineData("password=secret")]
    public void An_address_that_is_none(string text)
    {
        var options = new PushQueueOptions();
        options.Storage.Redis = text;

        var errors = options.Validate();

        Assert.Contains("--redis", Assert.Single(errors), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", errors[0], StringComparison.Ordinal);
    }

    private static async Task<string> SentenceAsync(string configuration)
    {
        using var log = new VerifyingLogger();
        await using var store = new RedisMessageStore(OptionsOf(configuration), TimeProvider.System, log);
        var thrown = await Assert.ThrowsAsync<StoreOpenException>(
            () => store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout());
        Assert.EndsWith(".", thrown.Message, StringComparison.Ordinal);
        return thrown.Message;
    }

    private static RedisStoreOptions OptionsOf(string configuration) =>
        new() { Configuration = configuration, CommandTimeout = TimeSpan.FromSeconds(2), StartInterval = TimeSpan.FromMilliseconds(50) };

    /// <summary>The store's sentence about what it waits for.</summary>
    private static async Task<string> WaitingSentenceAsync(VerifyingLogger log)
    {
        const string End = " The node starts as soon as this is repaired";
        string? sentence = null;
        await Eventually.TrueAsync(
            () =>
                (
                    sentence = log.Entries.Select(static entry => entry.Text).FirstOrDefault(
                        static text => text.EndsWith(End, StringComparison.Ordinal))) is not null,
            "the store says what it waits for");
        return sentence![..^End.Length];
    }

    private static async Task AnswerAsync(TcpListener listener, string answer, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(cancellationToken);
                _ = await client.GetStream().ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, cancellationToken);
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer), cancellationToken);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The test is over.
        }
    }
}
