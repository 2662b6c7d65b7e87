using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Documentation;

/// <summary>docs/application.md shows code that compiles and works.</summary>
public sealed class ApplicationPageTests
{
    [Fact]
    public void Every_sample_of_the_page_is_compiled_code()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "application.md"));
        string[] files =
        [
            Path.Combine("PushQueue.Tests", "Documentation", "ApplicationSamples.cs"),
            Path.Combine("PushQueue.EntityFrameworkCore.Tests", "Documentation", "OutboxSamples.cs"),
        ];
        var compiled = Normal(string.Join('\n', files.Select(
            static file => File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests", file)))));

        var samples = page.Split("```csharp\n").Skip(1)
            .Select(static rest => Normal(rest[..rest.IndexOf("```", StringComparison.Ordinal)]));

        Assert.NotEmpty(samples);
        Assert.All(samples, sample => Assert.Contains(sample, compiled, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_handlers_of_the_page_work_in_an_application_without_a_port()
    {
        using var directory = new TemporaryDirectory();
        var log = new VerifyingLogger();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ILoggerFactory>(log);
        builder.Services.AddPushQueue(options => options.Storage.DataDirectory = directory.Path);
        builder.Services.AddSingleton<ApplicationSamples.Warehouse>().AddSingleton<ApplicationSamples.Shop>();
        var host = builder.Build();
        try
        {
            ApplicationSamples.MapFunctions(host);
            await host.StartAsync().WithTimeout();
            var queues = host.Services.GetRequiredService<IPushQueueClient>();
            var warehouse = host.Services.GetRequiredService<ApplicationSamples.Warehouse>();

            await host.Services.GetRequiredService<ApplicationSamples.Shop>()
                .OrderAsync(new ApplicationSamples.Order(7, "ann")).WithTimeout();
            await queues.PutAsync("invoices", new ApplicationSamples.Order(8, "")).WithTimeout();
            await queues.PutAsync("returns", new ApplicationSamples.Order(0, "bob")).WithTimeout();
            await queues.PutAsync("returns", new ApplicationSamples.Order(9, "bob")).WithTimeout();

            await Eventually.TrueAsync(() => warehouse is { Shipped: 7, TakenBack: 9 }, "both are handled");
            Assert.Equal("The order has no customer.", await LastErrorAsync(queues, "invoices"));
            Assert.Equal("The order has no number.", await LastErrorAsync(queues, "returns"));
        }
        finally
        {
            await host.StopAsync().WithTimeout();
            await ((IAsyncDisposable)host).DisposeAsync();
        }

        log.Verify();
    }

    private static async Task<string?> LastErrorAsync(IPushQueueClient queues, string queue)
    {
        Message? dead = null;
        await Eventually.TrueAsync(
            async () => (dead = await queues.BrowseAsync(queue + ".dead", "dead").FirstOrDefaultAsync()) is not null, "a dead letter");
        return dead!.Resting!.LastError;
    }

    private static string Normal(string code) =>
        string.Join('\n', code.Split('\n').Select(static line => line.Trim()).Where(static line => line.Length > 0));
}
