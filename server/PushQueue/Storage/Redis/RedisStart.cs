using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>A node that starts waits for Redis, as a running node does: both may be started at the same time.</summary>
internal static class RedisStart
{
    /// <summary>Tries until it works.</summary>
    /// <exception cref="StoreOpenException">The failure will not end by itself.</exception>
    /// <exception cref="OperationCanceledException">The node is to stop.</exception>
    public static async Task UntilItWorksAsync(
        Func<Task> start, string address, TimeSpan interval, ILogger logger, CancellationToken cancellationToken)
    {
        string? said = null;
        while (true)
        {
            try
            {
                await start();
                break;
            }
            catch (StoreUnavailableException e) when (RedisFailure.MayRecover(e))
            {
                var sentence = RedisFailure.Located(e, address);
                if (sentence != said)
                {
                    Log.Waiting(logger, sentence);
                    said = sentence;
                }
            }
            catch (StoreUnavailableException e)
            {
                throw new StoreOpenException(RedisFailure.Located(e, address), e);
            }

            await Task.Delay(interval, TimeProvider.System, cancellationToken);
        }

        if (said is not null)
        {
            Log.Started(logger);
        }
    }
}
