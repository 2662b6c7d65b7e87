using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>Leases by REST, one or many at a time, and acks; forgets some, whose leases then run out.</summary>
internal sealed class LeaseWorker(Scene scene, string name, string queue, bool many, Random random)
{
    private const string TimeToRun = "2s";

    public async Task RunAsync()
    {
        while (!scene.End.IsCancellationRequested)
        {
            var address = scene.AnyAddress(random);
            try
            {
                await (many ? WorkOnManyAsync(address) : WorkOnOneAsync(address));
            }
            catch (Exception e) when (StreamLink.IsEnd(e))
            {
                await scene.UntilServedAsync(address);
            }
        }
    }

    private async Task WorkOnOneAsync(Uri address)
    {
        var connection = scene.Record.Connect(queue, name, scene.ServerAt(address));
        using var answer = await scene.Http.GetAsync(new Uri(address, $"/q/{queue}?ttr={TimeToRun}&wait=1&worker={name}"), scene.End);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            await PauseUnlessEmptyAsync(answer.StatusCode);
            return;
        }

        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(scene.End));
        var id = answer.Headers.GetValues("PushQueue-Id").Single();
        var attempt = int.Parse(answer.Headers.GetValues("PushQueue-Attempt").Single(), CultureInfo.InvariantCulture);
        var receipt = answer.Headers.GetValues("PushQueue-Receipt").Single();
        scene.Record.Add(new Arrived(queue, name, connection, Scene.KeyOf(id, body.RootElement), attempt, Receipt: receipt));
        if (Forgets())
        {
            return;
        }

        scene.Record.Add(new AckSent(queue, id));
        using var acked = await scene.Http.PostAsync(
            new Uri(scene.AnyAddress(random), $"/q/{queue}/messages/{id}/ack?receipt={receipt}"),
            null,
            scene.End);
        if (acked.IsSuccessStatusCode)
        {
            scene.Record.Add(new AckConfirmed(queue, id, attempt));
        }
    }

    private async Task WorkOnManyAsync(Uri address)
    {
        var connection = scene.Record.Connect(queue, name, scene.ServerAt(address));
        using var answer = await scene.Http.GetAsync(new Uri(address, $"/q/{queue}/batch?count=10&ttr={TimeToRun}&wait=1"), scene.End);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            await PauseUnlessEmptyAsync(answer.StatusCode);
            return;
        }

        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(scene.End));
        var messages = json.RootElement.EnumerateArray().Select(message => new Received(message)).ToList();
        messages.ForEach(message => scene.Record.Add(
            new Arrived(
                queue,
                name,
                connection,
                Scene.KeyOf(message.Id, message.Json.GetProperty("body")),
                message.Attempt,
                Receipt: message.Receipt)));
        var done = messages.Where(_ => !Forgets()).ToList();
        if (done.Count == 0)
        {
            return;
        }

        done.ForEach(message => scene.Record.Add(new AckSent(queue, message.Id)));
        var keys = $"[{string.Join(',', done.Select(message => $$"""{"id":"{{message.Id}}","receipt":"{{message.Receipt}}"}"""))}]";
        using var content = new StringContent(keys, Encoding.UTF8, "application/json");
        using var acked = await scene.Http.PostAsync(new Uri(scene.AnyAddress(random), $"/q/{queue}/ack"), content, scene.End);
        if (!acked.IsSuccessStatusCode)
        {
            return;
        }

        using var results = JsonDocument.Parse(await acked.Content.ReadAsStringAsync(scene.End));
        foreach (var (result, message) in results.RootElement.GetProperty("results").EnumerateArray().Zip(done))
        {
            if (result.TryGetProperty("ok", out _))
            {
                scene.Record.Add(new AckConfirmed(queue, message.Id, message.Attempt));
            }
        }
    }

    private bool Forgets() => scene.Producing && random.Next(100) < 4;

    private Task PauseUnlessEmptyAsync(HttpStatusCode status) =>
        status == HttpStatusCode.NoContent ? Task.CompletedTask : scene.PauseAsync(50);
}
