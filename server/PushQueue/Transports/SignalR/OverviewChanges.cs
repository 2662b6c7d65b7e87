using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Remembers what one watcher of the overview has been sent, and so what has changed since: the rows of its page that changed, the order of
/// the page where that changed, and the sums.
/// </summary>
internal sealed class OverviewChanges(BoardView view, QueueRates rates)
{
    /// <summary>Points of a row's two small charts: one minute.</summary>
    private const int PointsMax = 60;

    private Dictionary<QueueName, BoardRow> _sent = [];
    private QueueName[] _order = [];
    private readonly Section _access = new();
    private long _tick = -1;

    public byte[] Next(QueueBoard all, Caller caller)
    {
        var board = caller.MayEverywhere(Permissions.Any) ? all : all.Only(queue => caller.May(Permissions.Any, queue));
        var page = view.Select(board.Rows, out var matching);
        var order = Array.ConvertAll(page, static row => row.Info.Name);
        var points = _tick < 0 ? PointsMax : (int)Math.Min(PointsMax, board.Tick - _tick);
        var sent = new Dictionary<QueueName, BoardRow>(page.Length);
        var rows = new List<OverviewRowContract>();
        foreach (var row in page)
        {
            sent[row.Info.Name] = row;
            if (!_sent.TryGetValue(row.Info.Name, out var before))
            {
                rows.Add(Row(row, PointsMax));
            }
            else if (before != row)
            {
                rows.Add(Row(row, points));
            }
        }

        var changes = new OverviewContract
        {
            Now = board.At,
            Points = points,
            Matching = matching,
            Access = _access.IfNew(CallerAccessContract.Of(caller), ContractContext.Default.CallerAccessContract),
            Sums = SumsContract.Of(board.Sums),
            Order = _tick < 0 || !order.AsSpan().SequenceEqual(_order) ? Array.ConvertAll(order, static name => name.Value) : null,
            Rows = rows,
        };
        (_sent, _order, _tick) = (sent, order, board.Tick);
        return JsonBuffer.Write(changes, ContractContext.Default.OverviewContract);
    }

    private OverviewRowContract Row(in BoardRow row, int points) => OverviewRowContract.Of(row, rates.PointsOf(row.Info.Name, points));
}
