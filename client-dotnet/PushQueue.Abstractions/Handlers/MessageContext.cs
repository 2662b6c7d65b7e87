using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client.Handlers;

namespace PushQueue.Client;

/// <summary>A message that is being handled, with a scope of services of its own.</summary>
public sealed class MessageContext
{
    private readonly IServiceScopeFactory? _scopes;
    private readonly BodyReader? _reader;
    private AsyncServiceScope? _scope;
    private object? _value;
    private bool _isRead;

    internal MessageContext(Message message, BodyReader? reader, IServiceScopeFactory? scopes)
    {
        Message = message;
        _reader = reader;
        _scopes = scopes;
    }

    /// <summary>The message. An ack or release of the handler's own is allowed; the message is then left alone.</summary>
    public Message Message { get; }

    /// <summary>The queue that it came from.</summary>
    public string Queue => Message.Queue;

    /// <summary>The services of this message's scope, which ends with the attempt; empty where there is no host.</summary>
    public IServiceProvider Services =>
        _scopes is null ? NoServices.Instance : (_scope ??= _scopes.CreateAsyncScope()).ServiceProvider;

    /// <summary>Cancelled when the work is to stop: the message is lost, the time is over, or the program stops.</summary>
    public CancellationToken CancellationToken => Message.Ended;

    /// <summary>The body as the handler's type; the <see cref="Message"/> itself where the handler names none. Read at the first
    /// use.</summary>
    /// <exception cref="PushQueueException"><see cref="ProblemTypes.BadBody"/>: it is not of that type.</exception>
    public object? Value
    {
        get
        {
            if (!_isRead)
            {
                _value = _reader is null ? Message : _reader.Read(Message);
                _isRead = true;
            }

            return _value;
        }
    }

    internal ValueTask EndScopeAsync() => _scope is { } scope ? scope.DisposeAsync() : default;

    private sealed class NoServices : IServiceProvider
    {
        public static readonly NoServices Instance = new();

        public object? GetService(Type serviceType) => null;
    }
}
