using PushQueue.Storage;
using PushQueue.Storage.Redis;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>The forms in which users write where Redis is.</summary>
public sealed class RedisAddressTests
{
    [Theory]
    [InlineData("localhost", "localhost:6379", null, null, 0, false, null)]
    [InlineData("a:1,b:2,user=u,password=p=q,defaultDatabase=3,ssl=true", "a:1,b:2", "u", "p=q", 3, true, null)]
    [InlineData("a:26379,serviceName=mymaster,password=p", "a:26379", null, "p", 0, false, "mymaster")]
    [InlineData("a,serviceName=mymaster", "a:26379", null, null, 0, false, "mymaster")]
    [InlineData("redis://host", "host:6379", null, null, 0, false, null)]
    [InlineData("redis://host:7000/2", "host:7000", null, null, 2, false, null)]
    [InlineData("redis://:p%2Cq@host:7000/", "host:7000", null, "p,q", 0, false, null)]
    [InlineData("redis://us%40er:p%3A%2F%3F%23%40w@host/15", "host:6379", "us@er", "p:/?#@w", 15, false, null)]
    [InlineData("rediss://user:pw@[::1]:6380/1", "[::1]:6380", "user", "pw", 1, true, null)]
    public void An_address_is_read(string text, string servers, string? user, string? password, int database, bool tls, string? service)
    {
        var address = RedisAddress.Read(new RedisStoreOptions { Configuration = text });

        var configuration = address.Configuration("channel");
        Assert.Null(RedisAddress.WhyNot(text));
        Assert.Equal(servers, address.ToString());
        Assert.Equal(servers, new StorageOptions { Redis = text }.RedisServers);
        Assert.Equal(user, configuration.User);
        Assert.Equal(password, configuration.Password);
        Assert.Equal(database, address.Database);
        Assert.Equal(tls, configuration.Ssl);
        Assert.Equal(service, configuration.ServiceName);
    }

    [Theory]
    [InlineData("")]
    [InlineData("password=secret")]
    [InlineData("host:99999999999,password=secret")]
    [InlineData("host,password=x,secret")]
    [InlineData("host,secretive=1,password=secret")]
    [InlineData("redis://:secret@")]
    [InlineData("redis://:secret@host/first")]
    [InlineData("redis://:se?secret@host")]
    [InlineData("redis://:se#secret@host")]
    [InlineData("http://:secret@host")]
    [InlineData("redis://:secret@host,password=secret")]
    public void An_address_that_cannot_be_used_is_refused_in_a_sentence_without_its_secrets(string text)
    {
        var options = new PushQueueOptions();
        options.Storage.Redis = text;

        var error = Assert.Single(options.Validate());

        Assert.Contains("--redis", error, StringComparison.Ordinal);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Replace("secretive", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nowhere/ca.pem")]
    [InlineData("/dev/null")]
    public void A_file_that_holds_no_certificate_is_refused(string file)
    {
        var options = new PushQueueOptions();
        options.Storage.Redis = "rediss://host";
        options.Storage.RedisCertificateAuthority = file;

        Assert.Contains($"'{file}'", Assert.Single(options.Validate()), StringComparison.Ordinal);
    }
}
