using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace PushQueue.Dialects.Redisched;

/// <summary>
/// Marks the requests by which this server pushes, so that it knows one that comes back to it: a job that is pushed into the queue that it
/// came from would circle as fast as the server can.
/// </summary>
/// <param name="store">Names what the queues are kept in; the same for all nodes that share them.</param>
internal sealed class PushMark(string store)
{
    public const string Header = "PushQueue-Push";

    private const int MarkBytes = 8;

    // A hash, because receivers need not know where the messages are kept.
    public string Value { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(store)).AsSpan(0, MarkBytes));

    public bool IsOf(HttpRequest request) => request.Headers.TryGetValue(Header, out var mark) && mark == Value;
}
