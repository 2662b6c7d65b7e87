using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace PushQueue.Tests.Support;

/// <summary>
/// Calls every operation of the native API at least once, in an order in which each has something to answer: good answers, and problems.
/// </summary>
internal sealed partial class ApiTour(PushQueueServer server)
{
    private const string Form = "application/x-www-form-urlencoded";
    private const string Json = "application/json";

    private const int MatchMs = 10_000;

    private readonly List<Step> _steps = [];

    /// <param name="Method">The method.</param>
    /// <param name="Pattern">The route, as the document of the API names it.</param>
    /// <param name="Target">The path and the query that were sent.</param>
    /// <param name="Answer">The answer.</param>
    internal sealed record Step(string Method, string Pattern, string Target, Answer Answer)
    {
        /// <summary>The answer as text, with a mark for each value that differs from run to run.</summary>
        public string Normalized => $"{Method} {Mask(Target)} {Answer.Status} {Answer.ContentType}\n{Mask(Answer.Text)}\n";
    }

    public async Task<IReadOnlyList<Step>> RunAsync()
    {
        await PutAsync();
        await BrowseAsync();
        await TakeAsync();
        await LeaseAsync();
        await SettingsAsync();
        await ListenAsync();
        await DeadLettersAsync();
        await CommandsAsync();
        await NodeAsync();
        await EndAsync();
        return _steps;
    }

    /// <summary>Replaces times, random values, addresses and measurements; keeps names, order and kinds of values.</summary>
    public static string Mask(string text)
    {
        text = Times().Replace(text, "\"TIME\"");
        text = Measurements().Replace(text, "\"${name}\":NUMBER");
        text = Points().Replace(text, "\"history\":[NUMBERS]");
        text = Charts().Replace(text, "");
        text = Connections().Replace(text, "\"connections\":{COUNTS},\"consumers\":NUMBER");
        text = Digits().Replace(text, "${name}DIGITS");
        return Texts().Replace(text, "\"${name}\":\"TEXT\"");
    }

    private async Task PutAsync()
    {
        await SendAsync("POST", "/q/{queue}", "/q/test?id=a&priority=3", """{"n":1}""", Json);
        await SendAsync("POST", "/q/{queue}", "/q/test?id=a", "again", "text/plain");
        await SendAsync("POST", "/q/{queue}", "/q/test?unique=k", "bytes", "application/octet-stream");
        await SendAsync("POST", "/q/{queue}", "/q/test?id=1", "known", "text/plain");
        await SendAsync("POST", "/q/{queue}", "/q/test?delay=1h&id=late&ttl=2h", "value=form", Form);
        await SendAsync("POST", "/q/{queue}", "/q/waits?waitForAck=0&id=w&policy=roundrobin", "x", "text/plain");
        await SendAsync("POST", "/q/{queue}", "/q/test?priority=12", "x", "text/plain");
        await SendAsync("POST", "/q/{queue}/batch", "/q/test/batch?envelope=true", """[{"id":"b","body":"text"},{"id":"a","body":2},{"body":[1]}]""", Json);
        await SendAsync("POST", "/q/{queue}/batch", "/q/test/batch", "{", Json);
    }

    private async Task BrowseAsync()
    {
        await SendAsync("GET", "/q", "/q?limit=1");
        await SendAsync("GET", "/q/{queue}/messages", "/q/test/messages?limit=2");
        await SendAsync("GET", "/q/{queue}/messages", "/q/test/messages?state=delayed&preview=3");
        await SendAsync("GET", "/q/{queue}/messages", "/q/test/messages?state=history");
        await SendAsync("GET", "/q/{queue}/messages/{id}", "/q/test/messages/a");
        await SendAsync("GET", "/q/{queue}/messages/{id}", "/q/test/messages/none");
        await SendAsync("GET", "/q/{queue}/messages/{id}/body", "/q/test/messages/a/body");
        await SendAsync("POST", "/q/{queue}/messages/{id}/reschedule", "/q/test/messages/late/reschedule?delay=2h");
        await SendAsync("DELETE", "/q/{queue}/messages/{id}", "/q/test/messages/late");
        await SendAsync("DELETE", "/q/{queue}/messages/{id}", "/q/test/messages/late");
        await SendAsync("GET", "/j/{queue}", "/j/test");
        await SendAsync("GET", "/j/{queue}", "/j/nowhere");
        await SendAsync("GET", "/q/{queue}/keys", "/q/test/keys?limit=5");
    }

    private async Task TakeAsync()
    {
        await SendAsync("GET", "/q/{queue}", "/q/test");
        await SendAsync("GET", "/q/{queue}/batch", "/q/test/batch?count=1");
        await SendAsync("GET", "/q/{queue}", "/q/nowhere");
    }

    private async Task LeaseAsync()
    {
        await ServerPostAsync("/q/work?policy=roundrobin&id=one", "1");
        await ServerPostAsync("/q/work?id=two", "2");
        await ServerPostAsync("/q/work?id=three", "3");
        var lease = await SendAsync("GET", "/q/{queue}", "/q/work?ttr=60&worker=w1");
        var receipt = lease.Headers["PushQueue-Receipt"];
        await SendAsync("POST", "/q/{queue}/messages/{id}/touch", $"/q/work/messages/one/touch?receipt={receipt}&ttr=30");
        await SendAsync(
            "POST", "/q/{queue}/messages/{id}/release", $"/q/work/messages/one/release?receipt={receipt}&error=failed&delay=1h");
        await SendAsync("POST", "/q/{queue}/messages/{id}/ack", $"/q/work/messages/one/ack?receipt={receipt}");
        var leases = await SendAsync("GET", "/q/{queue}/batch", "/q/work/batch?ttr=60&count=10&worker=w1");
        var keys = Keys(leases);
        await SendAsync("POST", "/q/{queue}/touch", "/q/work/touch?ttr=30", keys, Json);
        await SendAsync("POST", "/q/{queue}/ack", "/q/work/ack", Keys(leases, take: 1), Json);
        await SendAsync("POST", "/q/{queue}/release", "/q/work/release?unstarted", keys, Json);
        await SendAsync("POST", "/q/{queue}/ack", "/q/work/ack", "{}", Json);
    }

    private async Task SettingsAsync()
    {
        await SendAsync("GET", "/q/{queue}/settings", "/q/work/settings");
        await SendAsync(
            "PATCH", "/q/{queue}/settings", "/q/work/settings", """{"maxMessages":7,"overflow":"reject","history":{"age":"5m"},"deadLetter":true}""", Json);
        await SendAsync("PATCH", "/q/{queue}/settings", "/q/work/settings", """{"maxAttempts":0}""", Json);
        await SendAsync("GET", "/p/{queue}", "/p/work");
        await SendAsync("POST", "/p/{queue}", "/p/work?policy=roundrobin");
        await SendAsync("GET", "/control/{queue}", "/control/work");
        await SendAsync("POST", "/control/{queue}", "/control/work", "status=stop", Form);
        await SendAsync("POST", "/control/{queue}", "/control/work", """{"status":"start"}""", Json);
    }

    private async Task ListenAsync()
    {
        await StreamAsync("/c/{queue}", "/c/opened");
        await StreamAsync("/sse/{queue}", "/sse/opened");
        await StreamAsync("/sse/{queue}/presence", "/sse/opened/presence");
        await StreamAsync("/c", "/c?queue=opened");
        await StreamAsync("/sse", "/sse?queue=opened");
        await Eventually.TrueAsync(
            async () => (await server.GetAsync("/w")).Json.GetProperty("consumers").GetArrayLength() == 0, "no consumer is left");
        await SendAsync("GET", "/ws", "/ws");
        await SendAsync("GET", "/ws/{queue}", "/ws/listened");
        using var listener = await server.Client.GetAsync(
            "/sse/listened?policy=roundrobin&worker=w2", HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        var consumers = await SendAsync("GET", "/q/{queue}/consumers", "/q/listened/consumers");
        await SendAsync("GET", "/q/{queue}/presence", "/q/listened/presence");
        await SendAsync("GET", "/w", "/w");
        await SendAsync("POST", "/q/{queue}/leave", "/q/listened/leave?consumer=nobody", "[]", Json);
        var number = consumers.Json.GetProperty("consumers")[0].GetProperty("id").GetInt64();
        await SendAsync("DELETE", "/q/{queue}/consumers/{number}", $"/q/listened/consumers/{number}");
        await SendAsync("DELETE", "/q/{queue}/consumers/{number}", "/q/listened/consumers/999");
        await SendAsync("POST", "/w/{queue}", "/w/listened?worker=w3");
        await SendAsync("GET", "/w", "/w");
        await SendAsync("DELETE", "/w/{queue}", "/w/listened?worker=w3");
        await SendAsync("DELETE", "/w/{queue}", "/w/listened?worker=w3");
    }

    private async Task DeadLettersAsync()
    {
        await ServerPostAsync("/q/fails?policy=roundrobin&maxAttempts=1&id=dead", "x");
        var lease = await server.GetAsync("/q/fails?ttr=60");
        await server.PostAsync(
            $"/q/fails/messages/dead/release?receipt={lease.Headers["PushQueue-Receipt"]}&error=broken", "", contentType: null);
        await SendAsync("GET", "/q/{queue}/messages/{id}", "/q/fails.dead/messages/dead");
        await SendAsync("GET", "/q/{queue}/messages", "/q/fails.dead/messages?state=dead");
        await SendAsync("POST", "/q/{queue}/replay", "/q/fails.dead/replay?count=1");
        await SendAsync("POST", "/q/{queue}/replay", "/q/fails/replay");
    }

    private async Task CommandsAsync()
    {
        await CommandAsync("""{"cmd":"put","queue":"commands","body":{"a":1},"id":"c1","ref":7}""");
        await CommandAsync("""{"cmd":"put","queue":"commands","values":["x",{"y":1}]}""");
        await CommandAsync("""{"cmd":"look","queue":"commands","id":"c1"}""");
        await CommandAsync("""{"cmd":"take","queue":"commands","count":2,"ref":"two"}""");
        await CommandAsync("""{"cmd":"lease","queue":"commands","ttr":60}""");
        await CommandAsync("""{"cmd":"ack","queue":"commands","items":[{"id":"c1","receipt":"0123456789abcdef"}]}""");
        await CommandAsync("""{"cmd":"policy","queue":"commands"}""");
        await CommandAsync("""{"cmd":"purge","queue":"commands"}""");
        await CommandAsync("""{"cmd":"wrong","queue":"commands"}""");
    }

    private async Task NodeAsync()
    {
        await SendAsync("POST", "/token", "/token", """{"expires":"1m"}""", Json);
        // The server notices the end of the streams before this a moment later.
        await Eventually.TrueAsync(
            async () =>
                (await server.GetAsync("/nodes")).Text.Contains("\"connections\":{}", StringComparison.Ordinal), "no stream is left");
        await SendAsync("GET", "/stats", "/stats");
        await SendAsync("GET", "/nodes", "/nodes");
        await SendAsync("GET", "/events", "/events?limit=2");
        await SendAsync("GET", "/healthz", "/healthz");
        await SendAsync("GET", "/readyz", "/readyz");
        await SendAsync("GET", "/metrics", "/metrics", keepText: false);
        await SendAsync("GET", "/backup", "/backup", keepText: false);
        await SendAsync("GET", "/openapi/v1.json", "/openapi/v1.json", keepText: false);
    }

    private async Task EndAsync()
    {
        await SendAsync("POST", "/q/{queue}/purge", "/q/test/purge");
        await SendAsync("DELETE", "/q/{queue}", "/q/test");
        await SendAsync("DELETE", "/q/{queue}", "/q/test");
    }

    private static string Keys(Answer leases, int take = int.MaxValue) => "["
        + string.Join(',', leases.Json.EnumerateArray().Take(take).Select(static lease =>
            $$"""{"id":{{lease.GetProperty("id").GetRawText()}},"receipt":{{lease.GetProperty("receipt").GetRawText()}}}"""))
        + "]";

    private Task CommandAsync(string command) => SendAsync("POST", "/queue", "/queue", command, Json);

    private Task ServerPostAsync(string target, string body) => server.PostAsync(target, body);

    private async Task StreamAsync(string pattern, string target)
    {
        using var response = await server.Client.GetAsync(target, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        var contentType = response.Content.Headers.ContentType?.ToString() ?? "";
        _steps.Add(
            new Step("GET", pattern, target, new Answer((int)response.StatusCode, contentType, "", new Dictionary<string, string>())));
    }

    private async Task<Answer> SendAsync(
        string method, string pattern, string target, string? body = null, string? contentType = null, bool keepText = true)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), target);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType!);
        }

        var answer = await server.SendAsync(request);
        _steps.Add(new Step(method, pattern, target, keepText ? answer : answer with { Text = "" }));
        return answer;
    }

    [GeneratedRegex("\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\"", RegexOptions.ExplicitCapture, MatchMs)]
    private static partial Regex Times();

    [GeneratedRegex(
        "\"(?<name>memoryBytes|heapBytes|cpuPercent|cores|usedBytes|freeBytes|totalBytes|files|uptimeSeconds|oldestAgeSeconds|putPerSecond"
        + "|deliveredPerSecond|waitingBytes)\":[-+.0-9eE]+", RegexOptions.ExplicitCapture, MatchMs)]
    private static partial Regex Measurements();

    [GeneratedRegex("\"history\":\\[[-0-9.,\\[\\]]*\\]", RegexOptions.ExplicitCapture, MatchMs)]
    private static partial Regex Points();

    // A row has them once the rates were sampled, which depends on the second at which the test began.
    [GeneratedRegex(",\"(in|out)\":\\[[-0-9.,]*\\]", RegexOptions.ExplicitCapture, MatchMs)]
    private static partial Regex Charts();

    // The measurement of a node is reused for a moment.
    [GeneratedRegex("\"connections\":\\{[^}]*\\},\"consumers\":[0-9]+", RegexOptions.ExplicitCapture, MatchMs)]
    private static partial Regex Connections();

    [GeneratedRegex("(?<name>\\?receipt=|\"next\":\"\\d-|pushqueue-test-)\\w+", RegexOptions.ExplicitCapture, MatchMs)]
    private static partial Regex Digits();

    [GeneratedRegex(
        "\"(?<name>epoch|cursor|receipt|remoteAddress|node|store|version|traceparent)\":\"[^\"]*\"", RegexOptions.ExplicitCapture, MatchMs)]
    private static partial Regex Texts();
}
