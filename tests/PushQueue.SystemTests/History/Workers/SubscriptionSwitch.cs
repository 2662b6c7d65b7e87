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

    private long? _failedAt;

    public async Task RunAsync()
    {
        while (scene.Producing && !scene.End.IsCancellationRequested)
        {
            await scene.PaceAsync(random.Next(300, 2000));
            await ForgottenAsync();
            await ChangeAsync(isOn: false);
            await scene.PaceAsync(random.Next(100, 500));
            await ForgottenAsync();
            await ChangeAsync(isOn: true);
        }
    }

    /// <summary>
    /// Waits until no request that failed can still be executed. Until then the subscription stands as it is: a late request sets the same.
    /// </summary>
    private async Task ForgottenAsync()
    {
        while (!scene.End.IsCancellationRequested && _failedAt is { } at && Stopwatch.GetElapsedTime(at) < UntilForgotten)
        {
            await scene.PauseAsync(100);
        }
    }

    private async Task ChangeAsync(bool isOn)
    {
        scene.Record.Add(new SubscriptionSent(queue, isOn));
        while (!scene.End.IsCancellationRequested)
        {
            if (await TryChangeAsync(isOn))
            {
                scene.Record.Add(new SubscriptionConfirmed(queue, isOn));
                return;
            }

            _failedAt = Stopwatch.GetTimestamp();
            await scene.PauseAsync(100);
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
