using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Delivery;
using PushQueue.Delivery.Policies;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Transports;
using PushQueue.Transports.Commands;
using PushQueue.Transports.SignalR;
using PushQueue.Transports.Streaming;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>The streams over the embedded store, on a real socket of this machine.</summary>
internal sealed class PushServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("pushqueue").FullName;
    private readonly WebApplication _app;

    private PushServer(Action<DeliveryOptions>? configure, Action<HubOptions<PushHub>>? hub, long? cacheBytesMax)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrelTo();
        Store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions
            {
                DataDirectory = _directory,
                Durability = Durability.Memory,
                CacheBytesMax = cacheBytesMax ?? new EmbeddedStoreOptions { DataDirectory = _directory }.CacheBytesMax,
            },
            TimeProvider.System,
            NullLoggerFactory.Instance);
        builder.Services
            .AddSingleton(FailableStore.Over(Store))
            .AddStoreFacets()
            .AddSingleton<ICommandExecutor, EchoExecutor>()
            .AddSingleton(new QueuesOptions())
            .AddSingleton<TakeWaiters>()
            .AddSingleton<FinishWaiters>()
            .AddSingleton<WorkerRegistry>()
            .AddSingleton<IMessageBroker, MessageBroker>()
            .AddSingleton<QueueRates>()
            .AddSingleton<QueueBoards>()
            .AddSingleton<NodeStatistics>()
            .AddSingleton<NodeMeter>()
            .AddSingleton<NodeEvents>()
            .AddSingleton<INodes, OneNode>()
            .AddSingleton<ClusterAnswers>()
            .AddSingleton<IOtherNodes>(static provider => provider.GetRequiredService<ClusterAnswers>())
            .AddDelivery()
            .AddDispatchPolicies()
            .AddStreams()
            .AddPushHub();
        if (configure is not null)
        {
            builder.Services.Configure(configure);
        }

        if (hub is not null)
        {
            builder.Services.Configure(hub);
        }

        _app = builder.Build();
        _app.MapStreams();
        _app.MapPushHub();
    }

    public EmbeddedMessageStore Store { get; }

    public QueueName Queue { get; } = QueueName.Parse("test");

    public HttpClient Http { get; } = new() { Timeout = Timeout.InfiniteTimeSpan };

    public ConsumerRegistry Registry => _app.Services.GetRequiredService<ConsumerRegistry>();

    public Dispatcher Dispatcher => _app.Services.GetRequiredService<Dispatcher>();

    public string Address { get; private set; } = string.Empty;

    public static async Task<PushServer> StartAsync(
        Action<DeliveryOptions>? configure = null, Action<HubOptions<PushHub>>? hub = null, long? cacheBytesMax = null)
    {
        var server = new PushServer(configure, hub, cacheBytesMax);
        await server.Store.OpenAsync(server.Dispatcher, CancellationToken.None);
        await server._app.StartAsync();
        var addresses = server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        server.Address = addresses.Addresses.Single().Replace("http://", string.Empty, StringComparison.Ordinal);
        return server;
    }

    public Task StopAsync() => _app.StopAsync();

    public FailableStore.HeldLease HoldNextLease() => FailableStore.HoldNextLease(_app.Services.GetRequiredService<IMessageStore>());

    /// <summary>From here on the streams find no store.</summary>
    public void Fail(Exception? failure = null) => FailableStore.Fail(_app.Services.GetRequiredService<IMessageStore>(), failure);

    /// <summary>Damages the record on disk that holds a text.</summary>
    public void Damage(string text) => DiskDamage.In(_directory, text);

    public async Task PutAsync(params string[] bodies)
    {
        foreach (var body in bodies)
        {
            await PutAsAsync("text/plain", body);
        }
    }

    public Task PutAsAsync(string contentType, string body) => PutToAsync(Queue, contentType, body);

    public async Task PutToAsync(QueueName queue, string contentType, string body)
    {
        var put = await Store.PutAsync(queue, new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = contentType });
        Assert.True(put.Ok);
    }

    public Task SetAsync(QueueSettingsPatch patch) => Store.UpdateSettingsAsync(Queue, patch).AsTask();

    /// <summary>Opens a stream and returns when its headers have come: the consumer has joined.</summary>
    public async Task<StreamLines> ListenAsync(string path, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Address}{path}");
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode}");
        return new StreamLines(await response.Content.ReadAsStreamAsync());
    }

    public async Task<ClientWebSocket> ConnectAsync(string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{Address}{path}"), CancellationToken.None).WaitAsync(Patience);
        return socket;
    }

    /// <summary>Waits until all consumers are gone, to the last connection.</summary>
    public Task NobodyIsLeftAsync() => UntilAsync(() => Registry is { Connections: 0, Consumers: 0 });

    public static async Task UntilAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!condition())
        {
            await Task.Delay(10, timeout.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private sealed class EchoExecutor : ICommandExecutor
    {
        public ValueTask<CommandResult> ExecuteAsync(CommandFrame frame, CancellationToken cancellationToken) => new(
            frame.Problem is { } problem ? CommandAnswer.Error(frame, problem)
            : frame.Queue is null ? frame.Json.ToArray()
            : System.Text.Encoding.UTF8.GetBytes(Call(frame)));

        /// <summary>A call of the hub as the frame that would do the same.</summary>
        private static string Call(CommandFrame frame) =>
            $$"""{"cmd":"{{frame.Command}}","queue":"{{frame.Queue}}"{{string.Concat(Enumerable.Range(0, frame.Count).Select(i => Field(frame, frame.NameAt(i))))}}}""";

        private static string Field(CommandFrame frame, string name) =>
            $",\"{name}\":{System.Text.Encoding.UTF8.GetString(frame.Raw(name))}";
    }
}
