using System.Globalization;
using System.Text;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>Makes bodies and frames: the form that a request needs, with faults of depth, encoding, numbers, names and length.</summary>
internal sealed class FuzzBodies(FuzzValues values)
{
    private static readonly string[] PresqueFields = ["jobs", "worker_id", "status", "key", "value"];

    private static readonly string[] RestMqFields = ["cmd", "queue", "value", "key", "callback", "body", "msg", "policy", "status"];

    private static readonly string[] RedischedFields = ["id", "body", "contents", "expiration", "max", "ttr", "limit", "delay", "url"];

    private static readonly string[] EnvelopeFields =
    [
        "body", "contentType", "encoding", "id", "delay", "at", "ttl", "priority", "unique", "maxAttempts", "retryDelay", "queue",
        "receipt", "looks",
    ];

    private static readonly string[] OddJson =
    [
        "\"\\ud83d\"", "\"\\ude00\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"\\x\"", "\"\\u12\"", "\"\t\"", "\"a", "/**/1", "1,",
        "\ufeff1",
    ];

    private Random Random => values.Random;

    /// <summary>A body for a request, and a content type for it.</summary>
    public (byte[] Body, string ContentType) Of(FuzzRoute route, string method)
    {
        var path = route.Pattern;
        var fields = route.Fields.GetValueOrDefault(method, []);
        if (Has(path, "xmlrpc"))
        {
            return (Bytes(XmlRpc()), "text/xml");
        }

        if (Has(path, "collectd") && values.Chance(50))
        {
            return (Bytes(
                $"PUTVAL host/{values.Text()}/if-{values.Text()} interval={values.Number()} {values.Number()}:{values.Number()}\n"),
                    "text/plain");
        }

        if (Has(path, "/batch") || Has(path, "/qb"))
        {
            return Has(path, "presque") ? (Bytes($"{{\"jobs\":[{Join(Json)}]}}"), "application/json") : Batch();
        }

        if (path.EndsWith("/queue", StringComparison.Ordinal))
        {
            var command = Has(path, "restmq") ? Object(RestMqFields) : Command();
            return values.Chance(20) ? (Bytes($"body={Uri.EscapeDataString(Whole(command))}"), Form) : (Bytes(command), "application/json");
        }

        if (path.EndsWith("/ack", StringComparison.Ordinal) || path.EndsWith("/release", StringComparison.Ordinal)
            || path.EndsWith("/touch", StringComparison.Ordinal) || path.EndsWith("/leave", StringComparison.Ordinal))
        {
            return (Bytes(Keys()), "application/json");
        }

        if (path.StartsWith("/hub", StringComparison.Ordinal))
        {
            return (Bytes(HubRecords()), "text/plain");
        }

        if (fields.Count == 0)
        {
            fields = Has(path, "redisched") ? RedischedFields
                : Has(path, "presque") ? PresqueFields
                : Has(path, "restmq") ? RestMqFields
                : fields;
        }

        if (fields.Count > 0 && values.Chance(75))
        {
            return values.Chance(30) && !Has(path, "settings")
                ? (Bytes(FormOf(fields)), Form)
                : (Bytes(Object(fields)), "application/json");
        }

        return Random.Next(5) switch
        {
            0 => (Bytes(Json()), "application/json"),
            1 => (Bytes(FormOf(["value", "msg", "queue"])), Form),
            2 => (Raw(), "application/octet-stream"),
            3 => (Bytes(values.Text()), "text/plain"),
            _ => (Bytes($"m{Random.Next(1000)}"), values.Of("contentType")),
        };
    }

    /// <summary>A command of the JSON protocol.</summary>
    public string Command()
    {
        var text = new StringBuilder($"{{\"cmd\":{Quote(values.Of("cmd"))},\"queue\":{Quote(values.Of("queue"))}");
        for (var more = Random.Next(4); more > 0; more--)
        {
            text.Append(',').Append(Field(values.Name(values.Tables.CommandFields)));
        }

        return text.Append('}').ToString();
    }

    /// <summary>Some records of SignalR's JSON protocol, mostly invocations of the hub's methods.</summary>
    public string HubRecords()
    {
        var records = new StringBuilder();
        for (var count = Random.Next(1, 4); count > 0; count--)
        {
            records.Append(HubRecord());
            if (!values.Odd(3))
            {
                records.Append('\u001e');
            }
        }

        return records.ToString();
    }

    /// <summary>Any JSON value.</summary>
    public string Json() => Json(0);

    public static byte[] Bytes(string text) => LooseUtf8(text);

    /// <summary>Something of a text, changed at the level of bytes.</summary>
    public byte[] Mutate(byte[] bytes)
    {
        var changed = bytes.ToList();
        for (var changes = Random.Next(1, 5); changes > 0 && changed.Count > 0; changes--)
        {
            var at = Random.Next(changed.Count);
            switch (Random.Next(7))
            {
                case 0:
                    changed[at] = (byte)Random.Next(256);
                    break;
                case 1:
                    changed[at] ^= (byte)(1 << Random.Next(8));
                    break;
                case 2:
                    changed.RemoveRange(at, Random.Next(1, Math.Min(20, changed.Count - at) + 1));
                    break;
                case 3:
                    changed.InsertRange(at, changed.GetRange(at, Random.Next(1, Math.Min(30, changed.Count - at) + 1)));
                    break;
                case 4:
                    changed.InsertRange(at, Bytes(values.Text()));
                    break;
                case 5:
                    changed.RemoveRange(at, changed.Count - at);
                    break;
                default:
                    changed.AddRange([.. changed]);
                    break;
            }
        }

        return [.. changed];
    }

    private const string Form = "application/x-www-form-urlencoded";

    private static bool Has(string path, string part) => path.Contains(part, StringComparison.Ordinal);

    /// <summary>UTF-8, in which half a surrogate pair becomes the three bytes that it never should be.</summary>
    private static byte[] LooseUtf8(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1])))
            {
                bytes.AddRange([(byte)(0xE0 | (text[i] >> 12)), (byte)(0x80 | ((text[i] >> 6) & 0x3F)), (byte)(0x80 | (text[i] & 0x3F))]);
                continue;
            }

            var length = char.IsSurrogate(text[i]) ? 2 : 1;
            bytes.AddRange(Encoding.UTF8.GetBytes(text, i, length));
            i += length - 1;
        }

        return [.. bytes];
    }

    /// <summary>The text with halves of surrogate pairs replaced, for methods that refuse them.</summary>
    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private string HubRecord()
    {
        if (values.Odd(12))
        {
            return Random.Next(6) switch
            {
                0 => "{\"type\":6}",
                1 => $"{{\"type\":5,\"invocationId\":\"{Random.Next(9)}\"}}",
                2 => "{\"type\":7}",
                3 => $"{{\"type\":{values.Number()},\"sequenceId\":{values.Number()}}}",
                4 => Json(),
                _ => "{\"protocol\":\"json\",\"version\":1}",
            };
        }

        var method = values.Pick(values.Tables.HubMethods);
        var parameters = method.GetParameters().Where(parameter => parameter.ParameterType != typeof(CancellationToken));
        var arguments = parameters.Select(parameter => parameter.Name switch
        {
            "options" => values.Chance(30) ? "{}" : Object(values.Tables.CommandFields),
            "items" => Keys(),
            "bodies" => $"[{Join(Json)}]",
            "body" => Json(),
            var name => !values.Odd(10) ? Quote(values.Of(name!)) : Json(),
        }).ToList();
        if (values.Odd(8))
        {
            arguments.Add(Json());
        }
        else if (values.Odd(8) && arguments.Count > 0)
        {
            arguments.RemoveAt(Random.Next(arguments.Count));
        }

        var streams = method.ReturnType.Name.StartsWith("IAsyncEnumerable", StringComparison.Ordinal) || method.Name == "Consume";
        var type = !values.Odd(5) ? streams ? 4 : 1 : Random.Next(10);
        var name = !values.Odd(3) ? method.Name : values.Text();
        return $"{{\"type\":{type},\"invocationId\":\"{Random.Next(9)}\",\"target\":{Quote(name)},\"arguments\":[{string.Join(',', arguments)}]}}";
    }

    private (byte[] Body, string ContentType) Batch()
    {
        string Element() => values.Chance(60) ? Object(EnvelopeFields) : Json();
        string Line() => Element() + values.Pick(["\n", "\n", "\r\n", "\n\n", " "]);
        return values.Chance(50)
            ? (Bytes($"[{Join(Element)}]"), "application/json")
            : (Bytes(string.Concat(Enumerable.Range(0, Random.Next(6)).Select(_ => Line()))), "application/x-ndjson");
    }

    private string Keys() => $"[{Join(Key)}]";

    private string Key() => values.Odd(10)
        ? Object(["id", "receipt"])
        : $"{{\"id\":{Quote(values.Of("id"))},\"receipt\":{Quote(values.Of("receipt"))}}}";

    private string XmlRpc()
    {
        string Value() => Random.Next(6) switch
        {
            0 => $"<int>{values.Number()}</int>",
            1 => $"<base64>{values.Text()}</base64>",
            2 => $"<array><data><value>{values.Text()}</value></data></array>",
            3 => string.Concat(Enumerable.Repeat("<struct>", Random.Next(200))),
            4 => $"<string>{values.Text()}</string>",
            _ => values.Text(),
        };
        var head = values.Odd(10) ? "<!DOCTYPE x [<!ENTITY e \"&e2;\"><!ENTITY e2 \"x\">]>"
            : values.Chance(30) ? "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
            : "";
        var value = values.Chance(60) ? $"<param><value>{Value()}</value></param>" : "";
        return $"{head}<methodCall><methodName>{(!values.Odd(10) ? values.Pick(["set", "get"]) : values.Text())}</methodName><params>"
            + $"<param><value>{values.Of("queue")}</value></param>{value}</params></methodCall>";
    }

    private string FormOf(IReadOnlyList<string> fields) => string.Join('&', Enumerable.Range(0, Random.Next(1, 4)).Select(_ =>
    {
        var name = values.Name(fields);
        return $"{name}={(!values.Odd(10) ? Uri.EscapeDataString(Whole(values.Of(name))) : values.Of(name))}";
    }));

    private string Object(IReadOnlyList<string> fields)
    {
        var names = Enumerable.Range(0, Random.Next(1, 6)).Select(_ => values.Name(fields));
        return $"{{{string.Join(',', (values.Odd(5) ? names : names.Distinct()).Select(Field))}}}";
    }

    private string Field(string name)
    {
        var value = name switch
        {
            "items" or "started" => Keys(),
            "values" or "jobs" => $"[{Join(Json)}]",
            "value" or "body" or "contents" or "ref" => Json(1),
            "history" => Object(["messages", "age"]),
            _ => values.Odd(15) ? Json(1) : Plain(values.Of(name)),
        };
        return $"{Quote(name)}:{value}";
    }

    /// <summary>A text as a JSON string; now and then as a number if it is one.</summary>
    private string Plain(string text) =>
        values.Chance(30) && double.TryParse(text, CultureInfo.InvariantCulture, out _) ? text : Quote(text);

    private string Join(Func<string> element) =>
        string.Join(',', Enumerable.Range(0, values.Odd(5) ? Random.Next(300) : Random.Next(5)).Select(_ => element()));

    private string Json(int depth)
    {
        switch (Random.Next(depth > 5 ? 6 : 10))
        {
            case 0:
                return values.Odd(20) ? values.Pick(["nul", "True", "''", ""]) : values.Pick(["null", "true", "false"]);
            case 1:
                return values.Number();
            case 2:
                return $"\"m{Random.Next(1000)}\"";
            case 3:
                return values.Odd(60) ? Quote(values.Text()) : "\"text\"";
            case 4:
                return values.Odd(60) ? values.Pick(OddJson) : "1";
            case 5:
                var levels = !values.Odd(10) ? Random.Next(20) : values.Pick([63, 64, 65, 127, 128, 511, 512, 513, 1000, 20000]);
                var (open, close) = values.Chance(50) ? ("[", "]") : ("{\"a\":", "}");
                return string.Concat(Enumerable.Repeat(open, levels)) + "1" + string.Concat(Enumerable.Repeat(close, levels));
            case < 8:
                return $"[{string.Join(',', Enumerable.Range(0, Random.Next(4)).Select(_ => Json(depth + 1)))}]";
            default:
                var fields = Enumerable.Range(0, Random.Next(4)).Select(_ => $"{Quote(values.Name([]))}:{Json(depth + 1)}");
                return $"{{{string.Join(',', fields)}}}";
        }
    }

    private byte[] Raw()
    {
        var bytes = new byte[!values.Odd(2) ? Random.Next(300) : values.Pick([65535, 65536, 65537, 200_000, 1_048_576, 1_048_577])];
        Random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A JSON string; sometimes with escapes that are not needed, sometimes with characters that need one.</summary>
    private string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        var escapes = values.Odd(10);
        foreach (var letter in text)
        {
            var needed = letter is '"' or '\\' || letter < ' ';
            if (needed || ((escapes || char.IsSurrogate(letter)) && Random.Next(2) == 0))
            {
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}");
            }
            else
            {
                quoted.Append(letter);
            }
        }

        return quoted.Append('"').ToString();
    }
}
