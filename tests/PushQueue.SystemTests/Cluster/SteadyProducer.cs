using System.Globalization;
using System.Net;

namespace PushQueue.SystemTests.Cluster;

/// <summary>
/// Puts numbered messages one after the other, at one node after the other, each under its own id until a node has answered that it is
/// stored.
/// </summary>
internal sealed class SteadyProducer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly Uri[] _nodes;
    private readonly string _queue;
    private readonly Task _putting;
    private int _stored;

    public SteadyProducer(string queue, params Uri[] nodes)
    {
        _queue = queue;
        _nodes = nodes;
        _putting = PutAllAsync();
    }

    /// <summary>So many are stored for certain: 1 to this.</summary>
    public int Stored => Volatile.Read(ref _stored);

    /// <summary>Ends with the message that is on its way, which is stored then.</summary>
    public async Task<int> StopAsync()
    {
        await _stopping.CancelAsync();
        await _putting.WaitAsync(TimeSpan.FromSeconds(60));
        return Stored;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        _stopping.Dispose();
    }

    private async Task PutAllAsync()
    {
        for (var number = 1; !_stopping.IsCancellationRequested; number++)
        {
            for (var attempt = 0; !await TryPutAsync(number, _nodes[(number + attempt) % _nodes.Length]); attempt++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }

            Volatile.Write(ref _stored, number);
        }
    }

    private async Task<bool> TryPutAsync(int number, Uri node)
    {
        try
        {
            var body = number.ToString(CultureInfo.InvariantCulture);
            using var answer = await _http.PostAsync(new Uri(node, $"/q/{_queue}?id=m{body}"), new StringContent(body));
            return answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
