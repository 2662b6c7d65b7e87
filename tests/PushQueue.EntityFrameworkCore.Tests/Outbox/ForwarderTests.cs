using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using PushQueue.EntityFrameworkCore.Tests.Support;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Outbox;

/// <summary>The forwarder and its surroundings: servers that go and come, keys, settings, health.</summary>
public sealed class ForwarderTests : IAsyncLifetime
{
    private ITestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await SqliteDatabase.NewAsync();

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_server_that_is_away_is_waited_for_with_one_warning()
    {
        await using var node = await TestNode.StartAsync();
        await node.Client.ChangeSettingsAsync("orders", new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        await node.StopServerAsync(kill: true);
        await using var app = await App.StartAsync(_database, node.Client);
        for (var i = 0; i < 3; i++)
        {
            await app.SaveAsync(db => db.PutLater("orders", $"{i}"));
        }

        await Waiting.UntilAsync(() => app.Log.Lines.Any(static line => line.Level == LogLevel.Debug), "a second failure");
        await node.StartServerAsync();

        await Waiting.UntilAsync(async () => await node.Client.GetQueueAsync("orders") is { Ready: 3 }, "three messages");
        await Waiting.UntilAsync(() => app.Log.Lines.Any(static line => line.Text.EndsWith("again", StringComparison.Ordinal)), "the end");
        Assert.Single(app.Log.Lines, static line => line.Level >= LogLevel.Warning);
        Assert.Equal(
            ["0", "1", "2"], await node.Client.BrowseAsync("orders").Select(static message => message.Text).ToListAsync());
    }

    [Fact]
    public async Task A_server_that_is_killed_while_messages_are_put_gets_each_of_them_once()
    {
        await using var node = await TestNode.StartAsync();
        await node.Client.ChangeSettingsAsync("orders", new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        await using (var db = _database.Open())
        {
            for (var i = 0; i < 300; i++)
            {
                db.PutLater("orders", $"{i}");
            }

            await db.SaveChangesAsync();
        }

        using var client = node.NewClient(static options => options.Retry.Attempts = 1);
        await using var app = await App.StartAsync(_database, client, static options => options.BatchMessages = 3);
        for (var kill = 1; kill <= 2; kill++)
        {
            await Waiting.UntilAsync(
                async () => await node.Client.GetQueueAsync("orders") is { } info && info.Ready >= kill * 30, "some messages");
            await node.StopServerAsync(kill: true);
            await node.StartServerAsync();
        }

        await Waiting.UntilAsync(async () => await node.Client.GetQueueAsync("orders") is { Ready: >= 300 }, "all messages");
        await Waiting.UntilAsync(
            async () => await app.Services.GetRequiredService<OutboxMonitor<TestDb>>().GetStateAsync() is { Waiting: 0 }, "no rows");
        Assert.Equal(
            Enumerable.Range(0, 300).Select(static i => $"{i}"),
            await node.Client.BrowseAsync("orders").Select(static message => message.Text).ToListAsync());
    }

    [Fact]
    public async Task The_queue_knows_ids_for_the_window_unless_it_knows_them_longer()
    {
        await using var node = await TestNode.StartAsync("--durability", "memory");
        await node.Client.ChangeSettingsAsync("long", new QueueSettingsChange { DedupWindow = "2h" }).WithTimeout();
        await using var app = await App.StartAsync(
            _database, node.Client, static options => options.DedupWindow = TimeSpan.FromMinutes(20));

        await app.SaveAsync(static db =>
        {
            db.PutLater("long", "1", new PutOptions { Policy = "roundrobin" });
            db.PutLater("new", "1", new PutOptions { Policy = "roundrobin" });
        });

        await Waiting.UntilAsync(
            async () => await node.Client.GetQueueAsync("long") is { Ready: 1 } && await node.Client.GetQueueAsync("new") is { Ready: 1 },
            "both messages");
        Assert.Equal("2h", (await node.Client.GetSettingsAsync("long").WithTimeout()).DedupWindow);
        Assert.Equal(
            TimeSpan.FromMinutes(20), DedupWindows.Parse((await node.Client.GetSettingsAsync("new").WithTimeout()).DedupWindow));
    }

    [Fact]
    public async Task A_forwarder_that_is_replaced_after_the_window_is_reported_and_its_messages_are_put()
    {
        await using var node = await TestNode.StartAsync("--durability", "memory");
        await using (var db = _database.Open())
        {
            db.PutLater("orders", "1");
            db.PutLater("fresh", "2");
            db.Add(new OutboxLease { Queue = "orders", Owner = "dead", Beat = 7, BeatAt = DateTimeOffset.UtcNow.AddMinutes(-11) });
            db.Add(new OutboxLease { Queue = "fresh", Owner = "dead", Beat = 7, BeatAt = DateTimeOffset.UtcNow.AddMinutes(-9) });
            await db.SaveChangesAsync();
        }

        await using var app = await App.StartAsync(_database, node.Client);

        var monitor = app.Services.GetRequiredService<OutboxMonitor<TestDb>>();
        await Waiting.UntilAsync(async () => await monitor.GetStateAsync() is { Waiting: 0, SetAside: 0 }, "both messages are put");
        var warning = Assert.Single(app.Log.Lines, static line => line.Level >= LogLevel.Warning);
        Assert.StartsWith("A forwarder left the outbox of orders", warning.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_may_not_put_sets_messages_aside_and_one_that_may_not_manage_is_warned()
    {
        using var folder = new TemporaryDirectory();
        var (key, entry) = await NewKeyAsync();
        var file = Path.Combine(folder.Path, "access.json");
        await File.WriteAllTextAsync(file, $$"""{"keys":[{{entry}}]}""");
        await using var server = await ServerProcess.StartAsync(Path.Combine(folder.Path, "data"), "--auth", file);
        using var client = new PushQueueClient(new PushQueueClientOptions { Server = server.Address, Key = key });
        await using var app = await App.StartAsync(_database, client);

        await app.SaveAsync(static db =>
        {
            db.PutLater("secret", "1");
            db.PutLater("orders", "2");
        });

        var monitor = app.Services.GetRequiredService<OutboxMonitor<TestDb>>();
        await Waiting.UntilAsync(async () => await monitor.GetStateAsync() is { Waiting: 0, SetAside: 1 }, "one is put, one set aside");
        Assert.Equal("2", (await client.TakeAsync("orders").WithTimeout())!.Text);
        Assert.Contains(app.Log.Lines, static line => line.Text.StartsWith("The queue orders may not know", StringComparison.Ordinal));
        await app.UseAsync(static async db => Assert.Contains(
            "put", (await db.Set<OutboxMessage>().SingleAsync()).Reason, StringComparison.Ordinal));

        static async Task<(string Key, string Entry)> NewKeyAsync()
        {
            var (_, output) = await ServerProcess.RunAsync("key", "new", "--name", "shop", "--queue", "orders", "--can", "put,take");
            return (output.Split('\n').Single(
                static line => line.StartsWith("pq_", StringComparison.Ordinal)), output[output.IndexOf('{', StringComparison.Ordinal)..]);
        }
    }

    [Fact]
    public async Task Health_and_metrics_say_what_waits()
    {
        await using var node = await TestNode.StartAsync("--durability", "memory");
        await using (var db = _database.Open())
        {
            db.PutLater("orders", "1", new PutOptions { RetryDelay = "soon" });
            db.PutLater("orders", "2");
            await db.SaveChangesAsync();
        }

        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await App.StartAsync(
            _database, HookedClient.Of(node.Client, before: gate.Task.WaitAsync),
            services: static services => services.AddHealthChecks().AddPushQueueOutbox<TestDb>(TimeSpan.Zero));
        var meters = app.Services.GetRequiredService<IMeterFactory>();
        var values = new System.Collections.Concurrent.ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            // Other tests have outboxes, too.
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == OutboxMeter.Name && instrument.Meter.Scope == meters)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.Start();
        var health = app.Services.GetRequiredService<HealthCheckService>();

        var waiting = await health.CheckHealthAsync().WithTimeout();
        gate.SetResult();
        await Waiting.UntilAsync(
            async () => (await health.CheckHealthAsync()).Status == HealthStatus.Degraded, "only the refused message is left");
        await Waiting.UntilAsync(
            () =>
            {
                listener.RecordObservableInstruments();
                return values.ContainsKey("pushqueue.outbox.waiting");
            },
            "values");

        Assert.Equal((HealthStatus.Unhealthy, 2L), (waiting.Status, waiting.Entries["pushqueue-outbox"].Data["waiting"]));
        Assert.Equal((1, 1), (values["pushqueue.outbox.forwarded"], values["pushqueue.outbox.refused"]));
        Assert.Equal((0, 1, 0), (
            values["pushqueue.outbox.waiting"], values["pushqueue.outbox.setaside"], values["pushqueue.outbox.oldest.age"]));
    }

    [Fact]
    public async Task A_host_without_a_queue_does_not_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddDbContext<TestDb>(_database.Configure);
        builder.Services.AddPushQueueOutbox<TestDb>();
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync()).WithTimeout();

        Assert.Contains("AddPushQueueClient", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => builder.Services.AddPushQueueOutbox<TestDb>());
        Assert.Throws<ArgumentException>(
            () => new ServiceCollection().AddPushQueueOutbox<TestDb>(static options => options.BatchMessages = 0));
    }

    [Fact]
    public async Task An_application_that_hosts_the_queue_forwards_to_it_without_a_server()
    {
        using var folder = new TemporaryDirectory();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddPushQueue(options => options.Storage.DataDirectory = folder.Path);
        builder.Services.AddDbContext<TestDb>(_database.Configure);
        builder.Services.AddPushQueueOutbox<TestDb>();
        using var host = builder.Build();
        await host.StartAsync().WithTimeout();

        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<TestDb>();
            db.PutLater("orders", new Order(7, "tea"));
            await db.SaveChangesAsync();
        }

        var message = await host.Services.GetRequiredService<IPushQueueClient>()
            .LeaseAsync("orders", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)).WithTimeout();
        Assert.Equal(new Order(7, "tea"), message!.Read<Order>());
        await host.StopAsync().WithTimeout();
    }
}
