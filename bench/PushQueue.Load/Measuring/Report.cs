using System.Text.Json;

namespace PushQueue.Load.Measuring;

/// <summary>A result as one line of JSON.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    internal static void Print<T>(T result) => Console.WriteLine(JsonSerializer.Serialize(result, Options));
}
