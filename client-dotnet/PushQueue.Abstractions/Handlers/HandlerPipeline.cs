namespace PushQueue.Client.Handlers;

/// <summary>A handler with its filters around it.</summary>
/// <param name="Reader">Reads the body; null where the handler takes the message itself.</param>
/// <param name="Handle">The work.</param>
internal sealed record HandlerPipeline(BodyReader? Reader, MessageDelegate Handle)
{
    public static HandlerPipeline Of(BodyReader? reader, MessageDelegate handle, HandlerOptions options)
    {
        for (var i = options.Filters.Count - 1; i >= 0; i--)
        {
            handle = options.Filters[i].Around(handle);
        }

        return new HandlerPipeline(reader, handle);
    }
}
