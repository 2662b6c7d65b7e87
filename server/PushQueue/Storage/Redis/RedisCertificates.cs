using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PushQueue.Storage.Redis;

/// <summary>Decides whether the certificate of a Redis is trusted.</summary>
/// <param name="authorities">The only authorities to trust; null for those that the machine trusts.</param>
internal sealed class RedisCertificates(X509Certificate2Collection? authorities)
{
    /// <summary>Reads the authorities' certificates from a PEM file.</summary>
    /// <exception cref="CryptographicException">The file holds no certificate.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static RedisCertificates Read(string? file)
    {
        if (file is null)
        {
            return new RedisCertificates(null);
        }

        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(File.ReadAllText(file));
        return authorities.Count > 0
            ? new RedisCertificates(authorities)
            : throw new CryptographicException("It contains no certificate in PEM form.");
    }

    /// <returns>The end of a sentence that begins with "Redis"; null if the certificate is trusted.</returns>
    public string? WhyNot(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, string host)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return "shows no certificate";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"has a certificate that is not valid for '{host}'; use a name of the certificate, or add sslHost= with that name";
        }

        return authorities is null
            ? (errors == SslPolicyErrors.None ? null : Untrusted(chain))
            : WhyNotByAuthorities(certificate, chain, authorities);
    }

    private static string? WhyNotByAuthorities(X509Certificate certificate, X509Chain? sent, X509Certificate2Collection authorities)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1", "serverAuth"));
        foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        using var own = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(own) ? null : Untrusted(chain);
    }

    private static string Untrusted(X509Chain? chain)
    {
        var status = chain?.ChainStatus.FirstOrDefault().StatusInformation;
        var reason = string.IsNullOrWhiteSpace(status) ? string.Empty : $" ({RedisFailure.Quoted(status)})";
        return $"has a certificate that is not trusted{reason}; give the certificate of its authority with --redis-ca FILE";
    }
}
