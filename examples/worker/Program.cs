using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PushQueue.Client;
using WordWorker;

// A host that counts the words of the texts in one queue and puts the counts into another. Ctrl-C lets it end what it has begun.
var server = args.FirstOrDefault() ?? "http://127.0.0.1:8080";
var builder = Host.CreateApplicationBuilder();
builder.Services.AddPushQueueClient(options => options.Server = new Uri(server));
builder.Services.AddPushQueueWorker<CountWorker>();
using var host = builder.Build();

// A worker shares its queue with others: each text goes to one of them.
var client = host.Services.GetRequiredService<PushQueueClient>();
await client.ChangeSettingsAsync("texts", new QueueSettingsChange { Policy = "roundrobin" });
await client.ChangeSettingsAsync("counts", new QueueSettingsChange { Policy = "roundrobin", DedupWindow = "1h" });
await host.RunAsync();
