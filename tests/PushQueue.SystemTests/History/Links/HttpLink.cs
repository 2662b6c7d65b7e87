using PushQueue.Tests.Support;

namespace PushQueue.SystemTests.History.Links;

/// <summary>Comet and server-sent events; what they get is acked by REST.</summary>
internal sealed class HttpLink(Uri address, HttpClient http, bool events) : StreamLink(address, http)
{
    protected override async IAsyncEnumerable<Received> OpenAsync(
        string queue, string options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await Http.GetAsync(
            new Uri(Address, PathOf(events ? "sse" : "c", queue, options)), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var lines = new StreamLines(stream);
        using var all = new StreamReader(stream);
        string? cursor = null;

        // The opening of a stream over many queues names them; that of a single queue says nothing that a consumer needs.
        Func<Task<string?>> read = queue.Length == 0
            ? () => all.ReadLineAsync(cancellationToken).AsTask()
            : () => lines.ReadLineAsync(cancellationToken);
        while (await read() is { } line)
        {
            if (!events && line.Length > 0)
            {
                yield return new Received(Parse(line));
            }
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                cursor = line["id: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                yield return new Received(Parse(line["data: ".Length..]), cursor);
            }
        }
    }
}
