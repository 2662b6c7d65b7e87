using System.Text.Json;

namespace PushQueue.Tests.Support;

/// <summary>An HTTP answer, read to its end.</summary>
internal sealed record Answer(int Status, string ContentType, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    /// <summary>The stable name of the problem; checks that the answer is a problem and tells what to do.</summary>
    public string Problem
    {
        get
        {
            Xunit.Assert.Equal("application/problem+json", ContentType);
            Xunit.Assert.Equal(Status, Json.GetProperty("status").GetInt32());
            Xunit.Assert.False(string.IsNullOrWhiteSpace(Json.GetProperty("detail").GetString()));
            Xunit.Assert.DoesNotContain("   at ", Text, StringComparison.Ordinal);
            return Json.GetProperty("type").GetString()!;
        }
    }

    public string Detail => Json.GetProperty("detail").GetString()!;

    public static async Task<Answer> ReadAsync(HttpResponseMessage response)
    {
        var headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        var text = await response.Content.ReadAsStringAsync().WithTimeout();
        headers.TryGetValue("Content-Type", out var contentType);
        return new Answer((int)response.StatusCode, contentType ?? "", text, headers);
    }
}
