using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Delivery;
using PushQueue.Tests.Delivery;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using PushQueue.Transports.SignalR;
using StackExchange.Redis;
using Xunit;

namespace PushQueue.Tests.Transports.SignalR;

public sealed class PushLifetimeManagerTests(SharedRedis redis)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_ends_while_the_backplane_takes_it_in_is_taken_out_again(bool hasNoGroupsYet)
    {
        var address = (await redis.OptionsAsync()).Configuration!;
        await using var backplane = new HubBackplane(ConfigurationOptions.Parse(address));
        using var meter = new PushQueue.Queues.MessageMeter(TimeProvider.System);
        var registry = new ConsumerRegistry();
        var dispatcher = new Dispatcher(
            null!, registry, [], TimeProvider.System, NullLogger<Dispatcher>.Instance, meter);
        var inner = new FailingManager(hasNoGroupsYet);
        var manager = new PushLifetimeManager(inner, dispatcher, null!, null!, backplane);
        var socket = new DefaultConnectionContext("1") { Transport = new Pipes() };
        socket.Features.Set(new OutboundBuffer(new RecordingConnection(), new CoarseClock(), new DeliveryOptions()));
        var connection = new HubConnectionContext(socket, new HubConnectionContextOptions(), NullLoggerFactory.Instance);

        await manager.OnConnectedAsync(connection).WithTimeout();
        await inner.Begun.Task.WithTimeout();
        connection.Abort();
        await manager.OnDisconnectedAsync(connection).WithTimeout();

        Assert.Equal(1, inner.Disconnected);
    }

    private sealed class Pipes : IDuplexPipe
    {
        public PipeReader Input { get; } = new Pipe().Reader;

        public PipeWriter Output { get; } = new Pipe().Writer;
    }

    /// <summary>Loses Redis while it takes a connection in.</summary>
    private sealed class FailingManager(bool hasNoGroupsYet)
        : DefaultHubLifetimeManager<PushHub>(NullLogger<DefaultHubLifetimeManager<PushHub>>.Instance)
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Disconnected { get; private set; }

        public override Task OnConnectedAsync(HubConnectionContext connection)
        {
            _ = Begun.TrySetResult();
            return Task.FromException(new TimeoutException("Redis is gone."));
        }

        public override Task OnDisconnectedAsync(HubConnectionContext connection)
        {
            Disconnected++;
            return hasNoGroupsYet ? throw new InvalidOperationException("There is no such feature.") : Task.CompletedTask;
        }
    }
}
