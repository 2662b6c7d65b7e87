using System.Globalization;
using System.Text;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>Makes HTTP requests from the table of routes, valid or changed: paths, options, headers, bodies, framing.</summary>
internal sealed class FuzzHttp(FuzzValues values, FuzzBodies bodies, FuzzKeys keys)
{
    private static readonly string[] OddMethods =
        ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "get", "G€T", "LOCK", "X", "GETGETGETGETGETGETGETGETGETGETGET"];

    private static readonly string[] OddLengths = ["-1", "0", "99999999999999999999", "1e3", "5, 5", "", "2147483648"];

    private static readonly string[] OddChunkSizes =
        ["ffffffff", "80000000", "7fffffff", "7fffffffffffffff", "ffffffffffffffff", "-1", "", "g", "0x1", "0", "fff"];

    private static readonly string[] OddChunkExtensions = [";a=b", ";", " ", new string(';', 5000)];

    private static readonly string[] OddChunkEnds = ["", "0\r\n", "0\r\nTrailer: x\r\n\r\n", "0\r\n:\r\n\r\n", "00000000000000000\r\n\r\n"];

    private static readonly (string Name, string[] Values)[] Headers =
    [
        ("Accept", ["text/event-stream", "*/*", "application/json", "text/html;q=\"", ""]),
        ("Accept-Encoding", ["gzip", "br, *;q=0", "\u0001"]),
        ("Authorization", ["Bearer x", "Basic OmE=", "Basic ===", "Bearer", "Negotiate x", "Bearer pq_0123456789_AAAA"]),
        ("Connection", ["close", "keep-alive", "Upgrade", "close, upgrade", "X"]),
        ("Content-Encoding", ["gzip", "identity", "br", ""]),
        ("Content-Type", ["application/json", "application/json; charset=utf-16", "text/xml", "application/x-ndjson", "x", ""]),
        ("Content-Type", ["multipart/form-data; boundary=x", "multipart/form-data"]),
        ("Cookie", ["auth=a:b", "auth=%", "=;=;;", "auth=\u00e9:\u00ff"]),
        ("Expect", ["100-continue", "200-ok"]),
        ("Forwarded", ["for=1.2.3.4;proto=https", "for=\""]),
        ("Host", ["", "x", "localhost:99999", "127.0.0.1", "[::1", "a b", "ü"]),
        ("If-None-Match", ["*", "\"x\""]),
        ("Last-Event-ID", ["new.0", "old.17", "stop", "1", "", "€", "a.b.c", "99999999999999999999.1", "new.99999999999999999999"]),
        ("Origin", ["http://evil.example", "null", "x", "http://127.0.0.1"]),
        ("Purpose", ["prefetch"]),
        ("Range", ["bytes=0-1", "bytes=9-1"]),
        ("Sec-Fetch-Dest", ["document", "empty"]),
        ("Sec-Fetch-Site", ["cross-site", "same-origin", "none"]),
        ("Sec-Purpose", ["prefetch", "prefetch;prerender"]),
        ("Sec-WebSocket-Version", ["13", "12", ""]),
        ("Upgrade", ["websocket", "h2c", "x"]),
        ("traceparent", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x", ""]),
        ("X-Forwarded-For", ["1.2.3.4", "x", "1.2.3.4, [::1]:99999"]),
        ("X-presque-workerid", ["w1", "", "€"]),
    ];

    private Random Random => values.Random;

    public string HostFields() => keys.HostFields(Random);

    /// <summary>A path of a route with values in place of its parameters, and options.</summary>
    public string Target(FuzzRoute route, string method)
    {
        var path = new StringBuilder();
        foreach (var segment in route.Segments)
        {
            path.Append('/').Append(Parts(segment));
        }

        if (path.Length == 0)
        {
            path.Append('/');
        }

        var known = route.Options.GetValueOrDefault(method, []);
        var count = values.Chance(40) ? 0 : Random.Next(1, 5);
        var names = Enumerable.Range(0, count).Select(_ => values.Name(known));
        var options = (values.Odd(3) ? names : names.Distinct()).Select(name => $"{Encode(name)}={Encode(values.Of(name))}");
        var query = string.Join('&', options);
        return query.Length == 0 ? path.ToString() : $"{path}?{query}";
    }

    /// <summary>The bytes of one request.</summary>
    /// <param name="route">The route.</param>
    /// <param name="prefix">The beginning that the path loses at a port of a dialect's own.</param>
    public byte[] Request(FuzzRoute route, string prefix = "")
    {
        var method = !values.Odd(8) ? values.Pick(route.Methods) : values.Pick(OddMethods);
        var target = Target(route, method);
        if (prefix.Length > 0 && target.StartsWith(prefix, StringComparison.Ordinal))
        {
            target = target[prefix.Length..] is { Length: > 0 } rest ? rest : "/";
        }

        if (values.Odd(4))
        {
            target = values.Pick(
            [
                $"http://x{target}", $"//x{target}", "*", target.Replace('/', '\\'), target + "/", target + "/../x", target + "#x",
                "x" + target, target.ToUpperInvariant(), target + new string('a', 9000),
            ]);
        }

        var (body, contentType) = method is "GET" or "HEAD" && !values.Odd(5) ? ([], "") : bodies.Of(route, method);
        if (body.Length > 0 && values.Odd(20))
        {
            body = bodies.Mutate(body);
        }

        var version = values.Odd(3) ? values.Pick(["HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "http/1.1", ""]) : "HTTP/1.1";
        var head = new StringBuilder($"{method} {target} {version}\r\n");
        if (!values.Odd(2))
        {
            head.Append(HostFields());
        }

        if (contentType.Length > 0 && !values.Odd(10))
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: {contentType}\r\n");
        }

        for (var more = !values.Odd(40) ? 0 : Random.Next(1, 4); more > 0; more--)
        {
            var (name, choices) = values.Pick(Headers);
            head.Append(CultureInfo.InvariantCulture, $"{name}: {(values.Chance(90) ? values.Pick(choices) : values.Text())}\r\n");
        }

        if (values.Odd(2))
        {
            head.Append(CultureInfo.InvariantCulture, $"{values.Text()}: {new string('a', values.Pick([10, 8000, 40_000]))}\r\n");
        }

        var framed = Frame(head, body);
        var request = (byte[])[.. FuzzBodies.Bytes(head.ToString()), .. framed];
        if (values.Odd(5))
        {
            request = bodies.Mutate(request);
        }

        // Half a request: its end never comes.
        return values.Odd(3) ? request[..Random.Next(request.Length)] : request;
    }

    private byte[] Frame(StringBuilder head, byte[] body)
    {
        if (body.Length == 0 && values.Chance(80))
        {
            head.Append("\r\n");
            return [];
        }

        if (values.Chance(70))
        {
            var odd = values.Chance(50) ? $"{body.Length + Random.Next(-3, 6)}" : values.Pick(OddLengths);
            var length = values.Odd(5) ? odd : $"{body.Length}";
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
            head.Append(!values.Odd(1) ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
            return body;
        }

        var encoding = values.Odd(5) ? values.Pick(["gzip, chunked", "identity", "chunked, chunked", "x"]) : "chunked";
        head.Append(CultureInfo.InvariantCulture, $"Transfer-Encoding: {encoding}\r\n\r\n");
        var chunks = new List<byte>();
        for (var at = 0; at < body.Length;)
        {
            var length = Math.Min(body.Length - at, Random.Next(1, 400));
            var size = values.Odd(2) ? values.Pick(OddChunkSizes) : $"{length:x}";
            chunks.AddRange(FuzzBodies.Bytes(size + (values.Odd(5) ? values.Pick(OddChunkExtensions) : "") + "\r\n"));
            chunks.AddRange(body.AsSpan(at, length));
            chunks.AddRange(FuzzBodies.Bytes(!values.Odd(2) ? "\r\n" : values.Pick(["", "\n", "xx"])));
            at += length;
        }

        chunks.AddRange(FuzzBodies.Bytes(values.Odd(4) ? values.Pick(OddChunkEnds) : "0\r\n\r\n"));
        return [.. chunks];
    }

    private string Parts(string segment)
    {
        var open = segment.IndexOf('{', StringComparison.Ordinal);
        if (open < 0)
        {
            return !values.Odd(1) ? segment : Encode(values.Text());
        }

        var close = segment.IndexOf('}', open);
        return segment[..open] + Encode(values.Of(segment[(open + 1)..close])) + segment[(close + 1)..];
    }

    /// <summary>Percent coding; now and then left out, or broken.</summary>
    private string Encode(string text)
    {
        if (values.Odd(3))
        {
            return text;
        }

        var coded = new StringBuilder();
        foreach (var one in FuzzBodies.Bytes(text))
        {
            var plain = char.IsAsciiLetterOrDigit((char)one) || one is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~';
            _ = plain && !values.Odd(1) ? coded.Append((char)one) : coded.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
        }

        return values.Odd(1) ? coded.Append(values.Pick(["%", "%2", "%zz", "%u0041", "%c0%80"])).ToString() : coded.ToString();
    }
}
