using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>Finds to whom a key or a token belongs, wherever it came from.</summary>
internal sealed class Admission(AccessControl access, OwnTokens own, ForeignTokens foreign)
{
    /// <exception cref="StoreUnavailableException">The secret of the tokens cannot be read now.</exception>
    public async ValueTask<FoundCaller> FindAsync(string keyOrToken, CancellationToken cancellationToken)
    {
        if (!AccessToken.IsLike(keyOrToken))
        {
            return access.Find(keyOrToken, out var whyNot) is { } caller ? FoundCaller.Of(caller) : FoundCaller.None(whyNot);
        }

        return TokenReading.Read(keyOrToken, out var whyUnreadable) is not { } token ? FoundCaller.None(whyUnreadable)
            : OwnTokens.IsOne(token) ? await own.FindAsync(token)
            : await foreign.FindAsync(keyOrToken, cancellationToken);
    }
}
