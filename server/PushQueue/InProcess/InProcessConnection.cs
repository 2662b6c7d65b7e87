using PushQueue.Client.Streaming;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Operations;

namespace PushQueue.InProcess;

/// <summary>
/// The connection of a consumer in this process, as delivery sees it: a bounded inbox that one enumeration reads. A program that reads too
/// slowly meets the same limits as one that is connected by a socket.
/// </summary>
internal sealed class InProcessConnection : IConsumerConnection, IConsumerRights
{
    private const int ItemsMax = 10_000;
    private const long BytesMax = 4 * 1024 * 1024;

    private readonly Action<string> _onCancelled;
    private readonly InProcessStreamLeases _leases;
    private readonly CancellationTokenSource _gone = new();

    public InProcessConnection(OperationExecutor operations, Action<string> onCancelled, TimeProvider time)
    {
        _onCancelled = onCancelled;
        _leases = new InProcessStreamLeases(operations, Held, time);
    }

    public Inbox Inbox { get; } = new(ItemsMax, BytesMax);

    public HeldMessages Held { get; } = new();

    /// <summary>Why the stream ended; null where the program ended it.</summary>
    public CloseReason? End { get; private set; }

    public string Transport => "in-process";

    public bool IsInProcess => true;

    public string? RemoteAddress => null;

    public MessageFormat ControlFormat => InProcessFormat.Instance;

    public bool Multiplexed => false;

    public int? LastHeardAt => null;

    public IConsumerRights Rights => this;

    public bool MayStay => true;

    public int Version => 0;

    public bool MayListen(QueueName queue) => true;

    public ValueTask WriteAsync(EncodedPage page)
    {
        ObjectDisposedException.ThrowIf(_gone.IsCancellationRequested, this);
        return Accept((InProcessPage)page) ? default : new ValueTask(Inbox.WaitForRoomAsync(_gone.Token));
    }

    public ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
    {
        ObjectDisposedException.ThrowIf(_gone.IsCancellationRequested, this);
        var hasRoom = true;
        foreach (var page in pages)
        {
            hasRoom = Accept((InProcessPage)page);
        }

        return hasRoom ? default : new ValueTask(Inbox.WaitForRoomAsync(_gone.Token));
    }

    public void Complete(CloseReason reason)
    {
        End ??= reason;
        Inbox.End(null);
    }

    public void Abort(CloseReason reason)
    {
        Complete(reason);
        _gone.Cancel();
    }

    /// <summary>
    /// Completes when the program has settled what it works on, or the node cannot wait any longer.
    /// </summary>
    public async Task WhenSettledAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_gone.Token, cancellationToken);
        await Held.WhenNoneStarted().WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>See <see cref="InProcessStreamLeases.WhenAckedAsync"/>.</summary>
    public Task WhenAckedAsync() => _leases.WhenAckedAsync();

    /// <summary>The program has left: a pending write fails, so that what it was about goes back.</summary>
    public void Leave()
    {
        Inbox.End(null);
        _gone.Cancel();
    }

    private bool Accept(InProcessPage page)
    {
        switch (page.Notice)
        {
            case CancelledNotice cancelled:
                OnCancelled(cancelled);
                return true;
            case CloseReason reason:
                End ??= reason;
                return true;
            case Client.Gap or Cursor or string or JoinedNotice or LeftNotice:
                return Inbox.Add(page.Notice, 0);
            default:
                var hasRoom = true;
                foreach (ref readonly var pushed in page.Messages.AsSpan())
                {
                    var message = MessageMapping.Pushed(pushed, _leases);
                    if (message.Receipt is null || Held.TryAdd(message))
                    {
                        hasRoom = Inbox.Add(message, message.Body.Length);
                    }
                }

                return hasRoom;
        }
    }

    private void OnCancelled(CancelledNotice cancelled)
    {
        _ = Held.Cancel(cancelled.Queue, cancelled.Id);

        // The program's handlers run elsewhere: delivery must not wait for them.
        _ = Task.Run(() =>
        {
            try
            {
                _onCancelled(cancelled.Id);
            }
            catch (Exception e)
            {
                Inbox.End(e);
            }
        });
    }
}
