using System.Buffers.Binary;
using System.Threading.Channels;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.SignalR;

/// <summary>The items of one streaming hub call. SignalR takes them one by one; see <see cref="ItemHandover"/>.</summary>
/// <param name="format">Of the items: lines of JSON, or MessagePack values with their lengths.</param>
/// <param name="rights">Of the client.</param>
internal sealed class ItemStreamConnection(MessageFormat format, IConsumerRights rights) : IConsumerConnection
{
    private readonly ItemHandover _items = new();

    private readonly bool _packed = format == PackedItemFormat.Envelopes;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ChannelReader<EncodedItem> Items => _items;

    public Task Ended => _ended.Task;

    public string Transport => "signalr";

    public string? RemoteAddress => null;

    public IConsumerRights Rights => rights;

    public MessageFormat ControlFormat => format;

    public bool Multiplexed => false;

    public int? LastHeardAt => null;

    public async ValueTask WriteAsync(EncodedPage page)
    {
        for (var rest = page.Bytes; !rest.IsEmpty;)
        {
            var (start, end, next) = Split(rest.Span);

            // The heartbeat of lines is an empty one; an item it is not.
            if (end > start)
            {
                await _items.WriteAsync(new EncodedItem(rest[start..end]));
            }

            rest = rest[next..];
        }
    }

    public async ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
    {
        foreach (var page in pages)
        {
            await WriteAsync(page);
        }
    }

    public void Complete(CloseReason reason)
    {
        _items.End();
        _ended.TrySetResult();
    }

    public void Abort(CloseReason reason) => Complete(reason);

    /// <summary>Where the first item of a page stands, and where the next one begins.</summary>
    private (int Start, int End, int Next) Split(ReadOnlySpan<byte> page)
    {
        if (_packed)
        {
            var next = PackedItemFormat.LengthBytes + BinaryPrimitives.ReadInt32BigEndian(page);
            return (PackedItemFormat.LengthBytes, next, next);
        }

        var end = page.IndexOf((byte)'\n');
        return (0, end, end + 1);
    }
}
