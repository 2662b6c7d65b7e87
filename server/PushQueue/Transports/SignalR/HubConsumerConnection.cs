using Microsoft.AspNetCore.SignalR;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.SignalR;

/// <summary>One hub connection. SignalR itself sends pings and watches for silent clients.</summary>
internal sealed class HubConsumerConnection(
    HubConnectionContext context, HubForms forms, IConsumerRights rights, string? remoteAddress) : IConsumerConnection
{
    public string Transport => "signalr";

    public string? RemoteAddress => remoteAddress;

    public IConsumerRights Rights => rights;

    public MessageFormat ControlFormat => forms.Envelopes;

    public bool Multiplexed => true;

    public int? LastHeardAt => null;

    public ValueTask WriteAsync(EncodedPage page)
    {
        // A write to an aborted connection is dropped without an error; its messages must count as not written.
        var write = context.WriteAsync(((HubPage)page).Message, CancellationToken.None);
        if (!write.IsCompletedSuccessfully)
        {
            return CheckSlowAsync(write);
        }

        // Gives a pooled source back; it has completed.
        write.GetAwaiter().GetResult();
        return context.ConnectionAborted.IsCancellationRequested ? ValueTask.FromException(Gone()) : default;
    }

    public async ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
    {
        // SignalR's transport sends all that lies in its pipe at once, so several writes still make one send.
        foreach (var page in pages)
        {
            await WriteAsync(page);
        }
    }

    public void Complete(CloseReason reason) => _ = CloseAsync(reason);

    public void Abort(CloseReason reason) => context.Abort();

    private async Task CloseAsync(CloseReason reason)
    {
        if (reason != CloseReason.Normal)
        {
            var writer = PageWriter.Rent();
            forms.Records.WriteCloseMessage(writer, reason);
            var page = new HubPage(forms.Records.Protocol, writer.ToArray(), 0, 0);
            writer.Return();
            await context.WriteAsync(page.Message, CancellationToken.None);
        }

        context.Abort();
    }

    private async ValueTask CheckSlowAsync(ValueTask write)
    {
        await write;
        if (context.ConnectionAborted.IsCancellationRequested)
        {
            throw Gone();
        }
    }

    private static IOException Gone() => new("The client has gone.");
}
