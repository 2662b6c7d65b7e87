using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Transports.Json;

/// <summary>
/// A reusable JSON writer per thread. Rent, write, finish, all without an await between; what is kept for reuse is bounded.
/// </summary>
internal sealed class JsonBuffer
{
    private const int KeptBytesMax = 256 * 1024;

    [ThreadStatic]
    private static JsonBuffer? _perThread;

    private readonly ArrayBufferWriter<byte> _bytes = new(1024);

    // Answers go out as application/json with nosniff, so only what JSON itself needs is escaped.
    private JsonBuffer()
    {
        Writer = new Utf8JsonWriter(_bytes, new JsonWriterOptions
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            SkipValidation = true,
        });
    }

    public Utf8JsonWriter Writer { get; }

    public static JsonBuffer Rent()
    {
        var buffer = _perThread ?? new JsonBuffer();
        _perThread = null;
        return buffer;
    }

    /// <summary>One contract as UTF-8.</summary>
    public static byte[] Write<T>(T contract, JsonTypeInfo<T> type)
    {
        var json = Rent();
        JsonSerializer.Serialize(json.Writer, contract, type);
        return json.Finish();
    }

    /// <summary>The written bytes, as an array of its own; the buffer goes back.</summary>
    public byte[] Finish()
    {
        Writer.Flush();
        var result = _bytes.WrittenSpan.ToArray();
        if (_bytes.Capacity <= KeptBytesMax)
        {
            _bytes.ResetWrittenCount();
            Writer.Reset(_bytes);
            _perThread = this;
        }

        return result;
    }
}
