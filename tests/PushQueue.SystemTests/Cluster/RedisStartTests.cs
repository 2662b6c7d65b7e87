using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>The log and the answers of a server process whose Redis cannot be used.</summary>
public sealed class RedisStartTests
{
    [Fact]
    public async Task A_wrong_password_ends_the_start_with_one_sentence_and_an_exit_code()
    {
        await using var redis = await RedisServer.StartAsync("--requirepass", "right");

        var (exitCode, output) = await ServerProcess.RunAsync("--port", "0", "--redis", $"{redis.Address},password=wrong");

        Assert.Equal(1, exitCode);
        Assert.Equal($"Redis at {redis.Address} refuses the user name or the password.", output.Trim());
    }

    [Fact]
    public async Task A_replica_ends_the_start_with_one_sentence_and_an_exit_code()
    {
        await using var master = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {master.Port}");

        var (exitCode, output) = await ServerProcess.RunAsync("--port", "0", "--redis", replica.Address);

        Assert.Equal(1, exitCode);
        Assert.Contains(
            "takes no writes. Give the address of the master.",
            Assert.Single(output.Trim().Split('\n')),
            StringComparison.Ordinal);
    }
}
