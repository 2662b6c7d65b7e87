namespace PushQueue.SystemTests.Operations;

/// <summary>One span as a collector gets it; ids as hexadecimal digits, empty for none.</summary>
internal sealed record Span(string Trace, string Id, string Parent, string Name, IReadOnlyList<string> Links)
{
    /// <summary>Reads opentelemetry.proto.trace.v1.Span.</summary>
    public static Span Read(ReadOnlyMemory<byte> span) => new(
        Hex(span, 1), Hex(span, 2), Hex(span, 4), ProtobufReader.Text(ProtobufReader.At(span, 5).Single()),
        [.. ProtobufReader.At(span, 13, 2).Select(static id => Convert.ToHexStringLower(id.Span))]);

    private static string Hex(ReadOnlyMemory<byte> span, int field) =>
        Convert.ToHexStringLower(ProtobufReader.At(span, field).FirstOrDefault().Span);
}
