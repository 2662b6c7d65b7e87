namespace PushQueue.Client.Streaming;

/// <summary>Renews the token of a connection before it ends, for as long as the connection stands.</summary>
internal static class TokenRenewal
{
    /// <summary>A provider that keeps giving a token that is about to end is asked no more often than this.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);

    /// <param name="session">The stream.</param>
    /// <param name="sendAsync">Sends a token over the connection.</param>
    /// <param name="over">Ends it, with the connection.</param>
    public static async Task RunAsync(
        StreamSession session, Func<string, CancellationToken, Task> sendAsync, CancellationToken over)
    {
        var tokens = session.Http.Tokens;
        var time = session.ClientOptions.TimeProvider;
        try
        {
            while (tokens.UntilRenewal() is { } wait)
            {
                wait = wait > ShortestWait ? wait : ShortestWait;
                await Task.Delay(Wire.Timeouts.OrLongest(wait), time, over).ConfigureAwait(false);
                await TryAsync(session, sendAsync, over).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The connection is over.
        }
    }

    private static async Task TryAsync(StreamSession session, Func<string, CancellationToken, Task> sendAsync, CancellationToken over)
    {
        try
        {
            if (await session.Http.Tokens.GetAsync(over).ConfigureAwait(false) is { } token)
            {
                await sendAsync(token, over).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (!over.IsCancellationRequested)
        {
            // Tried again a moment later. The stream goes on until the server ends it, and then asks for a token of its own.
            Log.RenewalFailed(session.Logger, session.Queue, e.Message);
        }
    }
}
