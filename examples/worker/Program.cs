using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PushQueue.Client;
using WordWorker;

// A host that counts the words of the texts in one queue and puts the counts into another. Ctrl-C lets it end what it has begun.
var server = args.FirstOrDefault() ?? "http://127.0.0.1:8080";
var builder = Host.CreateApplicationBuilder();
builder.Services.AddPushQueueClient(options => options.Server = new Uri(server));
builder.Services.AddPushQueueHandler<CountWorker>("texts", options =>
{
    options.Concurrency = 4;
    options.Name = "counter";
});
using var host = builder.Build();

// Counts are taken one by one, too, and a count that is put twice is stored once.
var client = host.Services.GetRequiredService<PushQueueClient>();
await client.ChangeSettingsAsync("counts", new QueueSettingsChange { Policy = "roundrobin", DedupWindow = "1h" });
await host.RunAsync();
