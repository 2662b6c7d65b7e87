using PushQueue.Client.Wire;

namespace PushQueue.Client.Streaming;

/// <summary>Renews the token of a connection before it ends, for as long as the connection stands.</summary>
internal static class TokenRenewal
{
    /// <summary>A renewal that failed is tried again after this; no provider is asked more often for it.</summary>
    public static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);

    /// <param name="session">The stream, which knows the token that opened the connection.</param>
    /// <param name="sendAsync">Sends a token over the connection. Throws where the server has not accepted it.</param>
    /// <param name="over">Ends it, with the connection. No exception leaves it then.</param>
    public static async Task RunAsync(
        StreamSession session, Func<string, CancellationToken, Task> sendAsync, CancellationToken over)
    {
        var tokens = session.Http.Tokens;
        var shortest = TimeSpan.Zero;
        try
        {
            while (tokens.CanRenew && tokens.HasEnd(session.ConnectionToken))
            {
                // While another token is the present one, the server does not have that yet.
                var wait = tokens.UntilRenewal(session.ConnectionToken);
                wait = Timeouts.OrLongest(wait > shortest ? wait : shortest);
                await Task.Delay(wait, session.ClientOptions.TimeProvider, over).ConfigureAwait(false);
                await TryAsync(session, sendAsync, over).ConfigureAwait(false);
                shortest = ShortestWait;
            }
        }
        catch (Exception) when (over.IsCancellationRequested)
        {
            // The connection is over, and how it ended is what counts.
        }
    }

    private static async Task TryAsync(StreamSession session, Func<string, CancellationToken, Task> sendAsync, CancellationToken over)
    {
        string? token = null;
        try
        {
            token = await session.Http.Tokens.GetAsync(over).ConfigureAwait(false);
            if (token is not null && token != session.ConnectionToken)
            {
                await sendAsync(token, over).ConfigureAwait(false);
                session.ConnectionToken = token;
            }
        }
        catch (Exception e) when (!over.IsCancellationRequested)
        {
            // Tried again a moment later. The stream goes on until the server ends it, and then asks for a token of its own.
            if (e is PushQueueException { Type: ProblemTypes.Unauthorized } && token is not null)
            {
                session.Http.Tokens.Refused(token);
            }

            Log.RenewalFailed(session.Logger, session.Name, e.Message);
        }
    }
}
