using System.Diagnostics;
using System.Text;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>Ends and begins the subscription of a queue, again and again; leaves it begun.</summary>
internal sealed class SubscriptionSwitch(Scene scene, string queue, string source, Random random)
{
    // A node may execute a request after its client has given up; no request lives so long.
    private static readonly TimeSpan UntilForgotten = TimeSpan.FromSeconds(15);

    public async Task RunAsync()
    {
        while (scene.Producing && !scene.End.IsCancellationRequested)
        {
            await scene.PaceAsync(random.Next(300, 2000));
            await ChangeAsync(isOn: false);
            await scene.PaceAsync(random.Next(100, 500));
            await ChangeAsync(isOn: true);
        }
    }

    private async Task ChangeAsync(bool isOn)
    {
        scene.Record.Add(new SubscriptionSent(queue, isOn));
        long? failedAt = null;
        while (!scene.End.IsCancellationRequested)
        {
            var isEarly = failedAt is { } at && Stopwatch.GetElapsedTime(at) < UntilForgotten;
            if (await TryChangeAsync(isOn))
            {
                if (!isEarly)
                {
                    scene.Record.Add(new SubscriptionConfirmed(queue, isOn));
                    return;
                }
            }
            else
            {
                failedAt = Stopwatch.GetTimestamp();
            }

            await scene.PauseAsync(500);
        }
    }

    private async Task<bool> TryChangeAsync(bool isOn)
    {
        try
        {
            var subscriptions = isOn ? $"\"{source}\"" : "";
            using var content = new StringContent($$"""{"subscriptions":[{{subscriptions}}]}""", Encoding.UTF8, "application/json");
            using var answer = await scene.Http.PatchAsync(
                new Uri(scene.AnySteadyAddress(random), $"/q/{queue}/settings"), content, scene.End);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (StreamLink.IsEnd(e))
        {
            return false;
        }
    }
}
