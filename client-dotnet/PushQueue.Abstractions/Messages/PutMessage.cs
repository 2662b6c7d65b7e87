using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Client;

/// <summary>A message that is about to be put.</summary>
/// <param name="Body">The body.</param>
/// <param name="ContentType">Its content type; kept with it.</param>
/// <param name="Options">How it is put.</param>
public sealed record PutMessage(ReadOnlyMemory<byte> Body, string ContentType, PutOptions? Options = null)
{
    internal const string JsonType = "application/json";
    internal const string TextType = "text/plain";
    internal const string BytesType = "application/octet-stream";

    /// <summary>The bytes that were made here, which nobody else can change; null for those of the program.</summary>
    private readonly byte[]? _own;

    private PutMessage(byte[] own, string contentType, PutOptions? options)
        : this((ReadOnlyMemory<byte>)own, contentType, options) => _own = own;

    /// <summary>Whether the body cannot change, so that a store in this process may keep it as it is.</summary>
    internal bool IsConstant => _own is not null && MemoryMarshal.TryGetArray(Body, out var bytes) && ReferenceEquals(bytes.Array, _own);

    /// <summary>A message whose body is text.</summary>
    public static PutMessage Text(string text, PutOptions? options = null) =>
        new(own: Encoding.UTF8.GetBytes(text), contentType: TextType, options: options);

    /// <summary>A message whose body is a value as JSON.</summary>
    public static PutMessage Json<T>(T value, JsonTypeInfo<T> type, PutOptions? options = null) =>
        new(own: JsonSerializer.SerializeToUtf8Bytes(value, type), contentType: JsonType, options: options);

    /// <summary>A message whose body is bytes.</summary>
    public static PutMessage Bytes(ReadOnlyMemory<byte> body, PutOptions? options = null) => new(body, BytesType, options);
}
