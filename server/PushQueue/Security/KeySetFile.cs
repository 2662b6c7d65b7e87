using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>The signing keys of an authority from a file instead of from the authority itself.</summary>
internal sealed partial class KeySetFile(SecurityOptions options, ILogger<KeySetFile> logger)
    : IConfigurationManager<OpenIdConnectConfiguration>
{
    private const int BytesMax = 1024 * 1024;
    private const int KeysMax = 100;
    private const string Symmetric = "oct";

    private volatile OpenIdConnectConfiguration _configuration = new();
    private FileStamp? _stamp;

    private string? File => options.Jwt.KeysFile;

    public Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel) => Task.FromResult(_configuration);

    public void RequestRefresh()
    {
        // The file is looked at once a second anyway; a token with an unknown key id must not cause work.
    }

    /// <summary>Reads the file for the first time.</summary>
    /// <exception cref="PushQueueStartException">It is missing or wrong.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (File is null)
        {
            return;
        }

        try
        {
            _stamp = FileStamp.Of(File);
            _configuration = await ReadAsync(File, cancellationToken);
        }
        catch (Exception e) when (e is AccessFileException or IOException or UnauthorizedAccessException)
        {
            throw new PushQueueStartException($"The key set {File} (--jwt-keys) cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Reads the file again if it has changed. A wrong file changes nothing and is logged, once per change.</summary>
    public async Task ReloadAsync(CancellationToken cancellationToken)
    {
        if (File is null)
        {
            return;
        }

        try
        {
            if (FileStamp.Of(File) is var stamp && stamp == _stamp)
            {
                return;
            }

            // Remembered first: what changes while it is read is read once more.
            _stamp = stamp;
            _configuration = await ReadAsync(File, cancellationToken);
            Log.Loaded(logger, File, _configuration.SigningKeys.Count);
        }
        catch (Exception e) when (e is AccessFileException or IOException or UnauthorizedAccessException)
        {
            Log.NotLoaded(logger, File, e.Message);
        }
    }

    private async Task<OpenIdConnectConfiguration> ReadAsync(string file, CancellationToken cancellationToken)
    {
        if (new FileInfo(file).Length > BytesMax)
        {
            throw new AccessFileException($"it has more than {BytesMax} bytes.");
        }

        var configuration = new OpenIdConnectConfiguration { Issuer = options.Jwt.Authority };
        foreach (var key in Parse(await System.IO.File.ReadAllTextAsync(file, cancellationToken)))
        {
            configuration.SigningKeys.Add(key);
        }

        return configuration;
    }

    /// <exception cref="AccessFileException">The text is not a set of public keys.</exception>
    private static IList<SecurityKey> Parse(string text)
    {
        JsonWebKeySet set;
        IList<SecurityKey> keys;
        try
        {
            set = new JsonWebKeySet(text);
            keys = set.GetSigningKeys();
        }
        catch (Exception e) when (e is ArgumentException or System.Text.Json.JsonException or FormatException)
        {
            throw new AccessFileException("it is not a JSON Web Key Set, such as {\"keys\":[{\"kty\":\"RSA\",…}]}.");
        }

        if (set.Keys.Any(static key => key.Kty == Symmetric))
        {
            throw new AccessFileException("it holds a secret key (kty 'oct'); only public keys are accepted.");
        }

        return keys.Count is > 0 and <= KeysMax
            ? keys
            : throw new AccessFileException($"it holds {keys.Count} keys that can check a signature; give 1 to {KeysMax}.");
    }

    private static partial class Log
    {
        [LoggerMessage(803, LogLevel.Information, "The key set {File} applies, with {Keys} keys")]
        public static partial void Loaded(ILogger logger, string file, int keys);

        [LoggerMessage(
            804, LogLevel.Warning, "The key set {File} has changed but cannot be used; the former keys still apply: {Reason}")]
        public static partial void NotLoaded(ILogger logger, string file, string reason);
    }
}
