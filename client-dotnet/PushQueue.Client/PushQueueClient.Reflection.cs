using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using PushQueue.Client.Wire;

namespace PushQueue.Client;

/// <summary>Typed bodies for programs without source generation.</summary>
public sealed partial class PushQueueClient
{
    /// <summary>Puts a value as JSON, with names in camel case.</summary>
    /// <inheritdoc cref="PutAsync(string, PutMessage, CancellationToken)" path="/exception"/>
    [OverloadResolutionPriority(-1)]
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public Task<PutResult> PutAsync<T>(string queue, T value, PutOptions? options = null, CancellationToken cancellationToken = default) =>
        PutAsync(queue, value, ReflectedJson.TypeOf<T>(), options, cancellationToken);

    /// <summary>Puts many values as JSON with one request, with names in camel case: all of them or none.</summary>
    [OverloadResolutionPriority(-1)]
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public Task<PutManyResult> PutManyAsync<T>(
        string queue, IEnumerable<T> values, PutOptions? options = null, CancellationToken cancellationToken = default) =>
        PutManyAsync(queue, values, ReflectedJson.TypeOf<T>(), options, cancellationToken);

    /// <summary>Has a queue's messages pushed whose bodies are JSON.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="options">How; null for auto ack over a WebSocket.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    [OverloadResolutionPriority(-1)]
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public IAsyncEnumerable<Message<T>> ConsumeAsync<T>(
        string queue, ConsumeOptions? options = null, CancellationToken cancellationToken = default) =>
        ConsumeAsync(queue, ReflectedJson.TypeOf<T>(), options, cancellationToken);
}
