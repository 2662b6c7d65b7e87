using System.Text.Json;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>The common data of all workers of a run: the servers, the record of observations, and the end.</summary>
internal sealed class Scene(
    IReadOnlyList<Uri> addresses, IReadOnlyList<Uri> steadyAddresses, HistoryRecord record, HttpClient http, CancellationToken end)
{
    private volatile bool _producing = true;

    /// <summary>Addresses whose connections are cut at random.</summary>
    public IReadOnlyList<Uri> Addresses => addresses;

    /// <summary>Addresses whose connections only the end of a server ends.</summary>
    public IReadOnlyList<Uri> SteadyAddresses => steadyAddresses;

    public HistoryRecord Record => record;

    public HttpClient Http => http;

    /// <summary>The run is over: all workers end.</summary>
    public CancellationToken End => end;

    /// <summary>False once the rest is to come out: nothing new is put, and consumers neither dawdle nor give anything back.</summary>
    public bool Producing
    {
        get => _producing;
        set => _producing = value;
    }

    public Uri AnyAddress(Random random) => addresses[random.Next(addresses.Count)];

    public Uri AnySteadyAddress(Random random) => steadyAddresses[random.Next(steadyAddresses.Count)];

    /// <summary>The number of the server that an address leads to.</summary>
    public int ServerAt(Uri address)
    {
        var number = 0;
        while (number < addresses.Count && addresses[number] != address && steadyAddresses[number] != address)
        {
            number++;
        }

        return number;
    }

    /// <summary>The factor by which <see cref="PaceAsync"/> is longer than in a run at full speed.</summary>
    public int Pace { get; init; } = 1;

    /// <summary>The pause of a worker between two pieces of work.</summary>
    public Task PaceAsync(int milliseconds) => PauseAsync(milliseconds * Pace);

    /// <summary>A short pause between tries; ends early with the run.</summary>
    public async Task PauseAsync(int milliseconds)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, end);
        }
        catch (OperationCanceledException)
        {
            // A worker that pauses checks for the end next.
        }
    }

    /// <summary>Returns once a server answers, so that a request which fails from then on may have been heard.</summary>
    public async Task UntilServedAsync(Uri address)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(address, "/readyz"), end);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception e) when (StreamLink.IsEnd(e))
            {
                // Not yet.
            }

            await PauseAsync(20);
        }
    }

    /// <summary>The answer to a GET as JSON; null without a body.</summary>
    public async Task<JsonElement?> GetAsync(Uri address, string path)
    {
        try
        {
            using var json = JsonDocument.Parse(await http.GetStringAsync(new Uri(address, path)));
            return json.RootElement.Clone();
        }
        catch (Exception e) when (StreamLink.IsEnd(e))
        {
            return null;
        }
    }

    /// <summary>The key of a message, which is its id and stands in its body; one that nobody put where these differ.</summary>
    public static string KeyOf(string id, JsonElement body) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty("key", out var key) && key.GetString() == id
            ? id
            : $"{id} with the body {Start(body)}";

    private static string Start(JsonElement body) => body.GetRawText() is { Length: > 100 } text ? text[..100] : body.GetRawText();
}
