using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.History;

/// <summary>One server with a data folder, both of the run's own.</summary>
internal sealed class OwnServer : IServersUnderTest, IAsyncDisposable
{
    private readonly TemporaryDirectory _data = new();
    private readonly string[] _options;
    private ServerProcess _server = null!;

    private OwnServer(string[] options)
    {
        _options = options;
    }

    public IReadOnlyList<Uri> Addresses => [_server.Address];

    public string DataFolder => _data.Path;

    /// <summary>The process that serves now; another one after each start.</summary>
    public int ProcessId => _server.ProcessId;

    /// <summary>The server's standard error since its last start.</summary>
    public string Errors => _server.Errors;

    public static async Task<OwnServer> StartAsync(params string[] options)
    {
        var own = new OwnServer(options);
        try
        {
            own._server = await ServerProcess.StartAsync(own._data.Path, options);
            return own;
        }
        catch
        {
            own._data.Dispose();
            throw;
        }
    }

    public async Task DisturbAsync(DisturbanceKind kind, int number, Action<HistoryEvent> note)
    {
        switch (kind)
        {
            case DisturbanceKind.Kill:
                await EndAndStartAsync(kill: true, () => note(new Killed()));
                break;
            case DisturbanceKind.Stop:
                await EndAndStartAsync(kill: false, () => { });
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, null);
        }
    }

    public async Task EndAndStartAsync(bool kill, Action ended)
    {
        if (kill)
        {
            await _server.KillAsync();
        }
        else
        {
            Assert.Equal(0, await _server.StopAsync());
        }

        ended();
        await StartAgainAsync();
    }

    /// <summary>Kills the server, deletes all its data and starts it again.</summary>
    public async Task WipeAsync(Action ended)
    {
        await _server.KillAsync();
        ended();
        Directory.Delete(_data.Path, recursive: true);
        await StartAgainAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _data.Dispose();
    }

    private async Task StartAgainAsync()
    {
        var ended = _server;
        _server = await ServerProcess.StartAsync(_data.Path, _options);
        await ended.DisposeAsync();
    }
}
