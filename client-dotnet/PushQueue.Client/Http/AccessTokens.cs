using System.Text;
using System.Text.Json;

namespace PushQueue.Client.Http;

/// <summary>
/// The key of the client, or the tokens of the program's provider. A token is kept until four fifths of its life are over, so that the next
/// one is there before it ends.
/// </summary>
internal sealed class AccessTokens(PushQueueClientOptions options) : IDisposable
{
    private readonly SemaphoreSlim _asking = new(1, 1);
    private volatile Known? _known;

    /// <summary>Whether there can be another token than the present one.</summary>
    public bool CanRenew => options.AccessTokenProvider is not null;

    /// <summary>The key or token to send now; null for none.</summary>
    /// <exception cref="PushQueueException">The provider failed.</exception>
    public ValueTask<string?> GetAsync(CancellationToken cancellationToken) =>
        options.AccessTokenProvider is null ? new ValueTask<string?>(options.Key is { Length: > 0 } key ? key : null)
        : Fresh() is { } known ? new ValueTask<string?>(known.Token)
        : new ValueTask<string?>(AskAsync(cancellationToken));

    /// <summary>How long until another token takes the place of this one: not at all where another is the present one already, or
    /// none is.</summary>
    public TimeSpan UntilRenewal(string? token) => _known is { } known && known.Token == token ? Left(known) : TimeSpan.Zero;

    /// <summary>The server refused this token: it is not given out again. One that has come since stays.</summary>
    public void Refused(string? token)
    {
        if (_known is { } known && known.Token == token)
        {
            _ = Interlocked.CompareExchange(ref _known, null, known);
        }
    }

    /// <summary>Whether a token says when it ends, as a JSON Web Token does and a key does not.</summary>
    public bool HasEnd(string? token) => LifeOf(token) is not null;

    public void Dispose() => _asking.Dispose();

    private Known? Fresh() => _known is { } known && Left(known) > TimeSpan.Zero ? known : null;

    private TimeSpan Left(Known known) =>
        known.RenewAfter is { } after ? after - options.TimeProvider.GetElapsedTime(known.ReceivedAt) : TimeSpan.MaxValue;

    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Fresh() is { } other)
            {
                return other.Token;
            }

            var token = await options.AccessTokenProvider!(cancellationToken).ConfigureAwait(false);
            _known = new Known(token, options.TimeProvider.GetTimestamp(), LifeOf(token) * 0.8);
            return token;
        }
        catch (Exception e) when (e is not (OperationCanceledException or PushQueueException))
        {
            throw new PushQueueException(
                ProblemTypes.Unreachable, $"AccessTokenProvider gave no token: {e.Message.TrimEnd('.')}.", innerException: e);
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>
    /// How long a JSON Web Token still lasts; null for another text, such as a key. Not by the clocks alone, which may differ: no longer
    /// than from the token's making to its end.
    /// </summary>
    private TimeSpan? LifeOf(string? token)
    {
        if (token?.Split('.') is not [_, { Length: > 0 } payload, _])
        {
            return null;
        }

        try
        {
            var json = Convert.FromBase64String(
                new StringBuilder(payload).Replace('-', '+').Replace('_', '/').Append('=', (4 - (payload.Length % 4)) % 4).ToString());
            using var claims = JsonDocument.Parse(json);
            if (SecondsOf(claims.RootElement, "exp") is not { } end)
            {
                return null;
            }

            var left = end - (options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
            var whole = end - (SecondsOf(claims.RootElement, "iat") ?? (end - left));
            return TimeSpan.FromSeconds(Math.Clamp(left > 0 ? Math.Min(left, whole) : whole, 1, int.MaxValue));
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            // A text of another form; the server says whether it accepts it.
            return null;
        }
    }

    private static double? SecondsOf(JsonElement claims, string name) =>
        claims.ValueKind == JsonValueKind.Object && claims.TryGetProperty(name, out var claim)
        && claim.ValueKind == JsonValueKind.Number && claim.TryGetDouble(out var seconds) && double.IsFinite(seconds)
            ? seconds
            : null;

    /// <param name="Token">The text that the provider gave.</param>
    /// <param name="ReceivedAt">A timestamp.</param>
    /// <param name="RenewAfter">When the next one is asked for, from then; null for not before it is refused.</param>
    private sealed record Known(string? Token, long ReceivedAt, TimeSpan? RenewAfter);
}
