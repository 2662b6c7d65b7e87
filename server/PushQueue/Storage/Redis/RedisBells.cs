using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The news of all nodes, this one's too: scripts publish them, in one packet each, on one channel. The handler only puts a packet into a
/// bounded channel; one loop reads it and tells the listener. A packet that finds the channel full is dropped, and with it all trust in what
/// was heard: <see cref="TakeMissed"/> says so, and the node asks again for everything.
/// </summary>
internal sealed partial class RedisBells(
    RedisConnection connection,
    IQueueChangeListener listener,
    Func<string> self,
    Action<QueueName, long> seeBroadcast,
    Action<QueueName> seeDeleted,
    ILogger logger,
    FaultBorder faults)
{
    private const int WaitingMax = 64 * 1024;

    private readonly Channel<byte[]> _packets = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private Task? _reading;
    private volatile bool _missed;

    /// <summary>Called for each beat that is heard, with the number of its node and its own.</summary>
    public Action<string, long>? OnBeat { get; set; }

    /// <summary>The packet of a node's beat: an empty queue name, then the node's number and the beat's.</summary>
    public static byte[] BeatPacket(string node, long beat)
    {
        var packet = new byte[2 + 2 + node.Length + 8];
        packet[3] = (byte)node.Length;
        Encoding.ASCII.GetBytes(node, packet.AsSpan(4));
        BinaryPrimitives.WriteInt64BigEndian(packet.AsSpan(4 + node.Length), beat);
        return packet;
    }

    /// <summary>Whether news were dropped since the last call.</summary>
    public bool TakeMissed()
    {
        if (!_missed)
        {
            return false;
        }

        _missed = false;
        return true;
    }

    /// <summary>Called where the connection broke or came back: what was rung meanwhile was not heard.</summary>
    public Action? OnBroken { get; set; }

    /// <summary>Listens; may be called again where it failed.</summary>
    public async Task OpenAsync()
    {
        _reading ??= ReadAsync();
        connection.SubscriptionsBroke = () =>
        {
            _missed = true;
            OnBroken?.Invoke();
        };
        await connection.SubscribeAsync(connection.Keys.Bell, Ring);
    }

    public async Task CloseAsync()
    {
        _packets.Writer.TryComplete();
        await (_reading ?? Task.CompletedTask);
    }

    private void Ring(byte[] packet)
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
                Tell(packet);
            }
            catch (Exception e)
            {
                // A border: neither who else writes to the channel nor a listener that fails may make this node deaf.
                Log.Unreadable(logger, e);
                _missed = true;
            }
        }
    }

    /// <summary>A packet: the number of the node that rang and the queue's name, then news of a letter and its texts each.</summary>
    private void Tell(byte[] packet)
    {
        const int NumberDigits = 16;
        var reader = new RedisReader(packet);
        var who = reader.Text();
        if (who.Length == 0)
        {
            OnBeat?.Invoke(reader.Text(), (long)reader.UInt64());
            return;
        }

        var queue = QueueName.Parse(who[NumberDigits..]);
        var elsewhere = !who.StartsWith(self(), StringComparison.Ordinal);
        try
        {
            while (!reader.IsAtEnd)
            {
                TellOne(queue, elsewhere, ref reader);
            }
        }
        catch (Exception e) when (e is not (InvalidDataException or FormatException or ArgumentException))
        {
            // A border: a listener that fails with the notifications of one queue must not make this node deaf to the others.
            faults.Report(queue, e);
            _missed = true;
        }
    }

    private void TellOne(QueueName queue, bool elsewhere, ref RedisReader reader)
    {
        switch ((char)reader.Byte())
        {
            case 'R':
                listener.OnReady(queue);
                break;
            case 'd':
                listener.OnReady(queue.DeadLetter);
                break;
            case 's':
                listener.OnReady(queue.Source);
                break;
            case 'T':
                // Messages wait for this node's turn; bells for other nodes are for them.
                if (reader.Text() == self())
                {
                    listener.OnReady(queue);
                }

                break;
            case 'B':
                var nextOffset = long.Parse(reader.Text(), CultureInfo.InvariantCulture);
                if (elsewhere)
                {
                    // This node knows its own from the answers.
                    seeBroadcast(queue, nextOffset);
                }

                listener.OnBroadcast(queue, nextOffset);
                break;
            case 'F':
                listener.OnFinished(queue, MessageId.Parse(reader.Text()), Finished(elsewhere, ref reader));
                break;
            case 'E':
                listener.OnLeaseEnded(queue, MessageId.Parse(reader.Text()), ReceiptOf(reader.Bytes()));
                break;
            case 'C':
                listener.OnLeasedCancelled(queue, MessageId.Parse(reader.Text()), ReceiptOf(reader.Bytes()));
                break;
            case 'W':
                if (reader.Text() is var worker && !elsewhere)
                {
                    // Counted where it happened.
                    listener.OnWorkerFailed(queue, worker);
                }

                break;
            case 'S':
                var values = Array.ConvertAll(reader.Text().Split('\n'), static value => (RedisValue)value);
                listener.OnSettingsChanged(queue, RedisSettings.Read(values));
                break;
            case 'D':
                seeDeleted(queue);
                listener.OnDeleted(queue);
                break;
            default:
                // A newer PushQueue shares this Redis; how long its news are is not known here.
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

    private static partial class Log
    {
        [LoggerMessage(139, LogLevel.Warning, "A packet on the channel of the bells cannot be read; news may have been missed")]
        public static partial void Unreadable(ILogger logger, Exception exception);
    }
}
