using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Dialects.Redisched;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

/// <summary>One topic has a fault: it is logged with its name and counted, the others are pushed, and the topic is tried again.</summary>
public sealed class PushFaultIsolationTests : IAsyncLifetime
{
    private static readonly QueueName Bad = QueueName.Parse("bad");
    private static readonly QueueName Good = QueueName.Parse("good");

    private readonly VerifyingLogger _log = new();
    private readonly MessageMeter _meter = new(TimeProvider.System);
    private ErrorCounts _errors = null!;
    private PushQueueServer _server = null!;
    private PushReceiver _receiver = null!;

    private IMessageBroker Broker => _server.Services.GetRequiredService<IMessageBroker>();

    public async ValueTask InitializeAsync()
    {
        _errors = new ErrorCounts(_meter);
        _server = await PushQueueServer.StartAsync();
        _receiver = await PushReceiver.StartAsync(static (context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _server.DisposeAsync();
        _errors.Dispose();
        _meter.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task A_topic_that_cannot_be_leased_from_is_tried_again_and_the_others_are_pushed()
    {
        var time = new TestTimeProvider();
        var broker = FaultyQueue.Over(Broker, Bad, nameof(IMessageBroker.LeaseAsync));
        await PutAsync(Bad);
        await PutAsync(Good);
        _log.ExpectError("(push) failed for queue bad");
        var service = ServiceOver(broker, time);
        await service.StartAsync(CancellationToken.None).WithTimeout();

        service.OnSettingsChanged(Bad, Pushed());
        service.OnSettingsChanged(Good, Pushed());

        await _receiver.CameAsync(1);
        Assert.Contains("\"topic\":\"good\"", Assert.Single(_receiver.Came).Body, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => _errors["push"] > 0, "the fault is counted");
        FaultyQueue.Mend(broker);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return _receiver.Came.Count == 2;
            },
            "the faulty topic is pushed, too");
        await service.StopAsync(CancellationToken.None).WithTimeout();
    }

    [Fact]
    public async Task A_topic_that_fails_at_the_start_costs_the_others_nothing()
    {
        await PutAsync(Bad);
        await PutAsync(Good);
        _log.ExpectError("(push) failed for queue bad");
        var service = ServiceOver(UnreadableSettings.Over(Broker, Bad, Pushed()), TimeProvider.System);

        await service.StartAsync(CancellationToken.None).WithTimeout();

        await _receiver.CameAsync(1);
        Assert.Contains("\"topic\":\"good\"", Assert.Single(_receiver.Came).Body, StringComparison.Ordinal);
        Assert.Equal(1, _errors["push"]);
        await service.StopAsync(CancellationToken.None).WithTimeout();
    }

    private QueueSettings Pushed() => QueueSettings.Default with { PushUrl = _receiver.Url.ToString() };

    private PushService ServiceOver(IMessageBroker broker, TimeProvider time) => new(
        broker,
        _server.Services.GetRequiredService<PushSender>(),
        new RedischedOptions(),
        time,
        _log.CreateLogger<PushService>(),
        _meter);

    private async Task PutAsync(QueueName queue)
    {
        var put = await Broker.PutAsync(queue, new NewMessage { Body = Encoding.UTF8.GetBytes("1"), ContentType = "application/json" });
        Assert.True(put.Ok);
    }

    /// <summary>A broker whose list of queues has one whose settings cannot be read; the others have a URL.</summary>
    public class UnreadableSettings : DispatchProxy
    {
        private IMessageBroker _broker = null!;
        private QueueSettings _settings = null!;
        private QueueName _queue;

        internal static IMessageBroker Over(IMessageBroker broker, QueueName queue, QueueSettings settings)
        {
            var proxy = Create<IMessageBroker, UnreadableSettings>();
            var unreadable = (UnreadableSettings)(object)proxy;
            (unreadable._broker, unreadable._queue, unreadable._settings) = (broker, queue, settings);
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var answer = targetMethod!.Invoke(_broker, BindingFlags.DoNotWrapExceptions, null, args, null);
            return targetMethod.Name == nameof(IMessageBroker.ListQueuesAsync)
                ? Box(new ValueTask<QueuePage>(ChangeAsync(((ValueTask<QueuePage>)answer!).AsTask())))
                : answer;
        }

        private static object Box(ValueTask<QueuePage> answer) => answer;

        private async Task<QueuePage> ChangeAsync(Task<QueuePage> reading)
        {
            var page = await reading;
            return page with
            {
                Queues = [.. page.Queues.Select(info => info with { Settings = info.Name == _queue ? null! : _settings })],
            };
        }
    }
}
