using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PushQueue.Client.Wire;

namespace PushQueue.Client.Handlers;

/// <summary>Reads the bodies of messages as the type of a handler.</summary>
internal abstract class BodyReader
{
    /// <summary>The body.</summary>
    /// <exception cref="PushQueueException"><see cref="ProblemTypes.BadBody"/>: it is not of that type.</exception>
    public abstract object? Read(Message message);

    /// <summary>A reader of a type that needs no JSON; null for any other type.</summary>
    public static BodyReader? OfRaw(Type type) =>
        type == typeof(Message) ? new RawReader(static message => message)
        : type == typeof(byte[]) ? new RawReader(static message => message.Body.ToArray())
        : type == typeof(ReadOnlyMemory<byte>) ? new RawReader(static message => message.Body)
        : null;

    public static BodyReader Of<T>(JsonTypeInfo<T> type) => new JsonReader<T>(type);

    /// <summary>A reader that finds out by reflection how the type looks as JSON.</summary>
    /// <exception cref="NotSupportedException">The type cannot be read as JSON.</exception>
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public static BodyReader Of(Type type, JsonSerializerOptions? json) =>
        OfRaw(type)
        ?? (BodyReader)Activator.CreateInstance(
            typeof(JsonReader<>).MakeGenericType(type), ReflectedJson.TypeOf(type, json))!;

    private sealed class RawReader(Func<Message, object> read) : BodyReader
    {
        public override object Read(Message message) => read(message);
    }

    private sealed class JsonReader<T>(JsonTypeInfo<T> type) : BodyReader
    {
        // JSON's null is a value of Nullable<T> only. A handler of a class would fail at its first member, once for each attempt.
        private static readonly bool AllowsNull = Nullable.GetUnderlyingType(typeof(T)) is not null;

        public override object? Read(Message message)
        {
            var value = message.Read(type);
            return value is not null || AllowsNull ? value : throw message.NotA<T>("The body is null.");
        }
    }
}
