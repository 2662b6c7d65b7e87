using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PushQueue.Queues;

namespace PushQueue.Server;

/// <summary>
/// The certificate of <c>--cert</c>, a PEM file (with its chain, its key there or in <c>--cert-key</c>) or a PFX. Read again when the file
/// has changed, so that renewing it needs no restart; a file that cannot be used changes nothing and is logged.
/// </summary>
internal sealed partial class ServerCertificate
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(2);

    private readonly string _file;
    private readonly string? _keyFile;
    private readonly string? _password;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private SslStreamCertificateContext _current;
    private (DateTime, DateTime) _stamp;
    private long _checkedAt;

    private ServerCertificate(string file, string? keyFile, string? password, TimeProvider time)
    {
        (_file, _keyFile, _password, _time) = (file, keyFile, password, time);
        _stamp = Stamp();
        _checkedAt = time.GetTimestamp();
        _current = Load();
    }

    /// <exception cref="PushQueueStartException">It cannot be used.</exception>
    public static ServerCertificate Open(string file, string? keyFile, string? password, TimeProvider time)
    {
        try
        {
            return new ServerCertificate(file, keyFile, password, time);
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw new PushQueueStartException($"The certificate {file} (--cert, --cert-key) cannot be used: {e.Message}", e);
        }
    }

    /// <summary>For one handshake.</summary>
    public SslStreamCertificateContext Current(ILogger logger)
    {
        lock (_gate)
        {
            if (_time.GetElapsedTime(_checkedAt) < CheckInterval)
            {
                return _current;
            }

            _checkedAt = _time.GetTimestamp();
            if (Stamp() is var stamp && stamp == _stamp)
            {
                return _current;
            }

            _stamp = stamp;
            try
            {
                _current = Load();
                Log.Renewed(logger, _file, _current.TargetCertificate.NotAfter);
            }
            catch (Exception e) when (IsExpected(e))
            {
                Log.NotRenewed(logger, _file, e.Message);
            }

            return _current;
        }
    }

    private SslStreamCertificateContext Load()
    {
        var isPem = File.ReadAllBytes(_file).AsSpan().IndexOf("-----BEGIN "u8) >= 0;
        var all = new X509Certificate2Collection();
        if (isPem)
        {
            all.ImportFromPemFile(_file);
        }
        else
        {
            all = X509CertificateLoader.LoadPkcs12CollectionFromFile(_file, _password);
        }

        var own = !isPem ? all.First(static one => one.HasPrivateKey)
            : _password is null ? X509Certificate2.CreateFromPemFile(_file, _keyFile ?? _file)
            : X509Certificate2.CreateFromEncryptedPemFile(_file, _password, _keyFile ?? _file);
        return SslStreamCertificateContext.Create(own, all, offline: true);
    }

    private (DateTime, DateTime) Stamp() => (WrittenAt(_file), WrittenAt(_keyFile ?? _file));

    /// <summary>Of the file behind all links: a link keeps its own time when it is made to lead elsewhere.</summary>
    private static DateTime WrittenAt(string path) =>
        File.GetLastWriteTimeUtc(File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : path);

    private static bool IsExpected(Exception e) =>
        e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException or InvalidOperationException;

    private static partial class Log
    {
        [LoggerMessage(900, LogLevel.Information, "The certificate {File} was read again; it is valid until {Until}")]
        public static partial void Renewed(ILogger logger, string file, DateTime until);

        [LoggerMessage(901, LogLevel.Warning, "The certificate {File} has changed but cannot be used; the former one stays: {Reason}")]
        public static partial void NotRenewed(ILogger logger, string file, string reason);
    }
}
