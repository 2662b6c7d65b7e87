using System.Security.Cryptography;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>The secret that all nodes of one Redis share.</summary>
internal sealed class RedisSecret(RedisConnection connection) : ISharedSecret
{
    public async ValueTask<byte[]> ReadAsync()
    {
        var reply = await connection.RunAsync(
            RedisScript.Secret, [connection.Keys.Secret], [RandomNumberGenerator.GetBytes(ISharedSecret.Bytes)]);
        return reply is [var secret] && (byte[]?)secret is { Length: ISharedSecret.Bytes } bytes
            ? bytes
            : throw new StoreUnavailableException(
                $"Redis holds no secret of {ISharedSecret.Bytes} bytes in {(string)connection.Keys.Secret!}; delete that key.");
    }
}
