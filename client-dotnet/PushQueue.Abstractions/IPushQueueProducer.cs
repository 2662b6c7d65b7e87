using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Client;

/// <summary>Puts messages. <see cref="PushQueueClientExtensions"/> has the same for texts and for values that become JSON.</summary>
public interface IPushQueueProducer
{
    /// <summary>
    /// Puts one message. Completes once it is stored as durably as <see cref="PutResult.Durability"/> says. Over HTTP a put with an id is
    /// repeated when the connection breaks; one without is repeated only where it is certain that the server did not get it.
    /// </summary>
    /// <exception cref="PushQueueException">The message was refused, or the server cannot be reached.</exception>
    Task<PutResult> PutAsync(string queue, PutMessage message, CancellationToken cancellationToken = default);

    /// <summary>Puts many messages in one step: all of them or none.</summary>
    /// <exception cref="PushQueueException">The messages were refused, or the server cannot be reached.</exception>
    Task<PutManyResult> PutManyAsync(string queue, IEnumerable<PutMessage> messages, CancellationToken cancellationToken = default);

    /// <summary>Puts many values as JSON in one step: all of them or none.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="values">The bodies; at most 128 MiB in all.</param>
    /// <param name="type">How they become JSON.</param>
    /// <param name="options">For all of them; <see cref="PutOptions.Id"/> and <see cref="PutOptions.UniqueKey"/> belong to one
    /// message.</param>
    /// <param name="cancellationToken">Ends the call; the messages may or may not have been stored.</param>
    Task<PutManyResult> PutManyAsync<T>(
        string queue, IEnumerable<T> values, JsonTypeInfo<T> type, PutOptions? options = null,
        CancellationToken cancellationToken = default);
}
