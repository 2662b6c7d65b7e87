namespace PushQueue.Client.Handlers;

/// <summary>Decides once who settles a message: its handler that has ended, or what could not wait for it any longer.</summary>
internal sealed class Attempt(Message message)
{
    private int _decided;

    public Message Message => message;

    public bool IsDecided => Volatile.Read(ref _decided) == 1;

    /// <summary>True for the first caller.</summary>
    public bool TryDecide() => Interlocked.Exchange(ref _decided, 1) == 0;
}
