using System.Globalization;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Redis over TLS with a certificate of a private authority.</summary>
public sealed class RedisTlsTests
{
    [Theory]
    [InlineData("rediss://127.0.0.1:{0}")]
    [InlineData("127.0.0.1:{0},ssl=true")]
    public async Task A_certificate_of_the_given_authority_is_trusted(string address)
    {
        using var authority = new TestAuthority();
        var (redis, port) = await StartAsync(authority, "127.0.0.1");
        await using var running = redis;
        await using var stores = new RedisStores(OptionsOf(address, port, authority.CertificateFile));

        var store = await stores.OpenAsync();
        await RedisStores.PutAsync(store, "a");

        Assert.Equal(["a"], await RedisStores.TakeAllAsync(store));
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused_and_the_way_out_is_named()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        var (redis, port) = await StartAsync(authority, "127.0.0.1");
        await using var running = redis;

        foreach (var file in new[] { null, stranger.CertificateFile })
        {
            var sentence = await SentenceAsync(OptionsOf("rediss://127.0.0.1:{0}", port, file));

            Assert.Contains("is not trusted", sentence, StringComparison.Ordinal);
            Assert.Contains("--redis-ca", sentence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused_unless_that_name_is_given()
    {
        using var authority = new TestAuthority();
        var (redis, port) = await StartAsync(authority, "redis.example");
        await using var running = redis;
        await using var stores = new RedisStores(
            OptionsOf("127.0.0.1:{0},ssl=true,sslHost=redis.example", port, authority.CertificateFile));

        var sentence = await SentenceAsync(OptionsOf("rediss://127.0.0.1:{0}", port, authority.CertificateFile));
        await RedisStores.PutAsync(await stores.OpenAsync(), "a");

        Assert.Contains("is not valid for '127.0.0.1'", sentence, StringComparison.Ordinal);
        Assert.Contains("sslHost=", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TLS_to_a_plain_port_says_so()
    {
        await using var redis = await RedisServer.StartAsync();

        var sentence = await SentenceAsync(OptionsOf("rediss://127.0.0.1:{0}", redis.Port, null));

        Assert.Contains("does not speak TLS on this port", sentence, StringComparison.Ordinal);
        Assert.Contains("redis://", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_connection_to_a_TLS_port_says_so()
    {
        using var authority = new TestAuthority();
        var (redis, port) = await StartAsync(authority, "127.0.0.1");
        await using var running = redis;

        var sentence = await SentenceAsync(OptionsOf("redis://127.0.0.1:{0}", port, null));

        Assert.Contains("speaks TLS on this port; use rediss://", sentence, StringComparison.Ordinal);
    }

    private static async Task<(RedisServer Redis, int TlsPort)> StartAsync(TestAuthority authority, string host)
    {
        var (certificate, key) = authority.Issue(host);
        var port = RedisServer.FreePort();
        var redis = await RedisServer.StartAsync(
            "--tls-port", port.ToString(CultureInfo.InvariantCulture), "--tls-cert-file", certificate, "--tls-key-file", key,
            "--tls-ca-cert-file", authority.CertificateFile, "--tls-auth-clients", "no");
        return (redis, port);
    }

    private static async Task<string> SentenceAsync(RedisStoreOptions options)
    {
        using var log = new VerifyingLogger();
        await using var store = new RedisMessageStore(options, TimeProvider.System, log);
        return (
            await Assert.ThrowsAsync<StoreOpenException>(
                () => store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout())).Message;
    }

    private static RedisStoreOptions OptionsOf(string address, int port, string? authority) => new()
    {
        Configuration = address.Replace("{0}", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal),
        CertificateAuthority = authority,
        StartInterval = TimeSpan.FromMilliseconds(50),
    };
}
