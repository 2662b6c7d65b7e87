using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Receives the notifications of all nodes, with this node's own. Each script publishes its notifications in one packet on one channel. The
/// handler puts a packet into a bounded queue; one loop reads it and calls the listener. A packet that finds the queue full is dropped.
/// Then <see cref="ConsumeMissed"/> returns true, and dispatchers read their queues again.
/// </summary>
internal sealed class RedisNotifications(
    RedisConnection connection,
    IQueueChangeListener listener,
    Func<string> self,
    Action<QueueName, long> onBroadcast,
    Action<QueueName> onDeleted,
    ILogger logger,
    FaultBorder faults)
{
    private const int WaitingMax = 64 * 1024;

    private readonly Channel<byte[]> _packets = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private Task? _reading;
    private volatile bool _missed;

    /// <summary>Called for each notification of a heartbeat, with the node's number and the heartbeat's.</summary>
    public Action<string, long>? OnHeartbeat { get; set; }

    /// <summary>The packet of a heartbeat: an empty queue name, then the node's number and the heartbeat's.</summary>
    public static byte[] HeartbeatPacket(string node, long heartbeat)
    {
        var packet = new byte[2 + 2 + node.Length + 8];
        packet[3] = (byte)node.Length;
        Encoding.ASCII.GetBytes(node, packet.AsSpan(4));
        BinaryPrimitives.WriteInt64BigEndian(packet.AsSpan(4 + node.Length), heartbeat);
        return packet;
    }

    /// <summary>Whether notifications may have been missed since the last call.</summary>
    public bool ConsumeMissed()
    {
        if (!_missed)
        {
            return false;
        }

        _missed = false;
        return true;
    }

    /// <summary>Called when the connection broke or came back: notifications of the time between were missed.</summary>
    public Action? OnBroken { get; set; }

    /// <summary>Subscribes. A caller may repeat a failed call.</summary>
    public async Task OpenAsync()
    {
        _reading ??= ReadAsync();
        connection.SubscriptionsBroke = () =>
        {
            _missed = true;
            OnBroken?.Invoke();
        };
        await connection.SubscribeAsync(connection.Keys.Notifications, Enqueue);
    }

    public async Task CloseAsync()
    {
        _packets.Writer.TryComplete();
        await (_reading ?? Task.CompletedTask);
    }

    private void Enqueue(byte[] packet)
    {
        if (!_packets.Writer.TryWrite(packet))
        {
            _missed = true;
        }
    }

    private async Task ReadAsync()
    {
        await foreach (var packet in _packets.Reader.ReadAllAsync())
        {
            try
            {
                Dispatch(packet);
            }
            catch (Exception e)
            {
                // A border: a packet of another program, or a listener that fails, must not end this loop.
                Log.Unreadable(logger, e);
                _missed = true;
            }
        }
    }

    /// <summary>
    /// A packet: the number of the node that ran the script and the queue's name, then notifications of a letter and its texts each.
    /// </summary>
    private void Dispatch(byte[] packet)
    {
        const int NumberDigits = 16;
        var reader = new RedisReader(packet);
        var caller = reader.Text();
        if (caller.Length == 0)
        {
            OnHeartbeat?.Invoke(reader.Text(), (long)reader.UInt64());
            return;
        }

        var queue = QueueName.Parse(caller[NumberDigits..]);
        var elsewhere = !caller.StartsWith(self(), StringComparison.Ordinal);
        try
        {
            while (!reader.IsAtEnd)
            {
                DispatchOne(queue, elsewhere, ref reader);
            }
        }
        catch (Exception e) when (e is not (InvalidDataException or FormatException or ArgumentException))
        {
            // A border: a listener that fails for one queue must not keep the notifications of others from this node.
            faults.Report(queue, e);
            _missed = true;
        }
    }

    private void DispatchOne(QueueName queue, bool elsewhere, ref RedisReader reader)
    {
        switch ((RedisNotification)reader.Byte())
        {
            case RedisNotification.Ready:
                listener.OnReady(queue);
                break;
            case RedisNotification.DeadLetterReady:
                listener.OnReady(queue.DeadLetter);
                break;
            case RedisNotification.SourceReady:
                listener.OnReady(queue.Source);
                break;
            case RedisNotification.Feeding:
                listener.OnFeeding(queue);
                break;
            case RedisNotification.Made:
                listener.OnMade(queue);
                break;
            case RedisNotification.SourceMade:
                listener.OnMade(queue.Source);
                break;
            case RedisNotification.Turn:
                // Only the node whose turn it is looks.
                if (reader.Text() == self())
                {
                    listener.OnReady(queue);
                }

                break;
            case RedisNotification.Broadcast:
                var nextOffset = long.Parse(reader.Text(), CultureInfo.InvariantCulture);
                if (elsewhere)
                {
                    // This node knows the offsets of its own broadcasts from the answers.
                    onBroadcast(queue, nextOffset);
                }

                listener.OnBroadcast(queue, nextOffset);
                break;
            case RedisNotification.Finished:
                listener.OnFinished(queue, MessageId.Parse(reader.Text()), Finished(elsewhere, ref reader));
                break;
            case RedisNotification.LeaseEnded:
                listener.OnLeaseEnded(queue, MessageId.Parse(reader.Text()), ReceiptOf(reader.Bytes()));
                break;
            case RedisNotification.LeasedCancelled:
                listener.OnLeasedCancelled(queue, MessageId.Parse(reader.Text()), ReceiptOf(reader.Bytes()));
                break;
            case RedisNotification.WorkerFailed:
                if (reader.Text() is var worker && !elsewhere)
                {
                    // Only the node that ran the script counts it.
                    listener.OnWorkerFailed(queue, worker);
                }

                break;
            case RedisNotification.SettingsChanged:
                var values = Array.ConvertAll(reader.Text().Split('\n'), static value => (RedisValue)value);
                listener.OnSettingsChanged(queue, RedisSettings.Read(values));
                break;
            case RedisNotification.Deleted:
                onDeleted(queue);
                listener.OnDeleted(queue);
                break;
            default:
                // A newer version of PushQueue shares this Redis. The length of its notification is unknown here, so the rest is skipped.
                _missed = true;
                reader = default;
                break;
        }
    }

    private static FinishedMessage Finished(bool elsewhere, ref RedisReader reader)
    {
        var acked = reader.Text() == "1";
        var worker = reader.Text();
        var attempts = int.Parse(reader.Text(), CultureInfo.InvariantCulture);
        var reason = reader.Text();
        var receipt = reader.Bytes();
        return new FinishedMessage(
            acked,
            worker.Length > 0 ? worker : null,
            attempts,
            reason.Length > 0 ? reason : null,
            elsewhere,
            receipt.Length > 0 ? ReceiptOf(receipt) : default);
    }

    private static Receipt ReceiptOf(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes));
}
