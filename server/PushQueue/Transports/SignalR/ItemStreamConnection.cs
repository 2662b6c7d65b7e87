using System.Threading.Channels;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>The items of one streaming hub call. SignalR takes them one by one; see <see cref="ItemHandover"/>.</summary>
internal sealed class ItemStreamConnection(IConsumerRights rights) : IConsumerConnection
{
    private readonly ItemHandover _items = new();

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ChannelReader<RawJson> Items => _items;

    public Task Ended => _ended.Task;

    public string Transport => "signalr";

    public string? RemoteAddress => null;

    public IConsumerRights Rights => rights;

    public MessageFormat ControlFormat => Format;

    public bool Multiplexed => false;

    public int? LastHeardAt => null;

    private static MessageFormat Format => LineFormat.Envelopes;

    public async ValueTask WriteAsync(EncodedPage page)
    {
        // The heartbeat of lines is an empty one; an item it is not.
        for (var rest = page.Bytes; !rest.IsEmpty;)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            if (end > 0)
            {
                await _items.WriteAsync(new RawJson(rest[..end]));
            }

            rest = rest[(end + 1)..];
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
}
