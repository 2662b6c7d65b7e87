using Microsoft.IdentityModel.Tokens;

namespace PushQueue.Security;

/// <summary>The secret that signs the server's own tokens, until another one replaces it.</summary>
internal sealed class TokenSecret(byte[] bytes, TokenValidationParameters parameters)
{
    private volatile bool _isReplaced;

    public SymmetricSecurityKey Key { get; } = new(bytes);

    /// <summary>The rules for tokens that it has signed.</summary>
    public TokenValidationParameters Parameters { get; } = parameters;

    /// <summary>Whether the operator has replaced it: all tokens that it has signed have ended, also those of open connections.</summary>
    public bool IsReplaced => _isReplaced;

    public void Replace() => _isReplaced = true;
}
