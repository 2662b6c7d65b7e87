using System.Text.Json;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Operations;

/// <summary>Reads the body of <c>POST /token</c>; an empty one asks for all rights of the key.</summary>
internal static class TokenRequestJson
{
    private const string Names = "grants, expires, cookie";
    private const string GrantNames = "queues, can";
    private const int PatternCharsMax = 260;

    private const string GrantForm =
        """The field 'grants' is a list of objects like {"queues":["orders.*"],"can":["listen"]}.""";

    public static Problem? Read(ReadOnlySpan<byte> json, out TokenRequest request)
    {
        request = new TokenRequest();
        json = BodyKinds.SkipMark(json);
        if (json.IsEmpty)
        {
            return null;
        }

        if (JsonBody.WhyNot(json) is { } whyNot)
        {
            return Problem.BadJson($"The body is not valid JSON: {whyNot}.");
        }

        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return Problem.BadJson("""Send a JSON object like {"grants":[{"queues":["orders"],"can":["listen"]}],"expires":"15m"}.""");
        }

        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (ReadField(ref reader, name, ref request) is { } problem)
            {
                return problem;
            }
        }

        return fields.Problem;
    }

    private static Problem? ReadField(ref Utf8JsonReader reader, string name, ref TokenRequest request)
    {
        if (name is not ("grants" or "expires" or "cookie"))
        {
            return OptionValues.Unknown(name, Names);
        }

        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        switch (name)
        {
            case "grants":
                var problem = ReadGrants(ref reader, out var grants);
                request = request with { Grants = grants };
                return problem;
            case "cookie":
                request = request with { Cookie = reader.TokenType == JsonTokenType.True };
                return reader.TokenType is JsonTokenType.True or JsonTokenType.False
                    ? null
                    : Problem.BadOption("The field 'cookie' is true or false.");
            default:
                if (JsonText.Read(ref reader, name, out var text) is { } unreadable)
                {
                    return unreadable;
                }

                if (Duration.TryParse(text, out var age) && age >= TimeSpan.FromSeconds(1) && age <= AccessToken.AgeMax)
                {
                    request = request with { Age = age };
                    return null;
                }

                return Problem.BadOption(
                    $"The field 'expires' is '{OptionValues.Shown(text!)}'; give 1s to {Duration.Format(AccessToken.AgeMax)}, written like "
                    + "30, 5m or 2h.");
        }
    }

    private static Problem? ReadGrants(ref Utf8JsonReader reader, out List<AccessGrant> grants)
    {
        grants = [];
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return Problem.BadOption(GrantForm);
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return Problem.BadOption(GrantForm);
            }

            if (ReadGrant(ref reader, out var grant) is { } problem)
            {
                return problem;
            }

            grants.Add(grant!);
            if (grants.Sum(static one => one.Patterns.Count) > AccessToken.GrantsMax)
            {
                return Problem.BadOption($"A token may name at most {AccessToken.GrantsMax} queues; use patterns, like orders.*.");
            }
        }

        return grants.Count > 0 ? null : Problem.BadOption($"{GrantForm} Leave it out for all rights of the key.");
    }

    private static Problem? ReadGrant(ref Utf8JsonReader reader, out AccessGrant? grant)
    {
        grant = null;
        List<string> queues = [];
        var can = Permissions.None;
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (name is not ("queues" or "can"))
            {
                return OptionValues.Unknown(name, GrantNames);
            }

            if (reader.TokenType != JsonTokenType.StartArray)
            {
                return Problem.BadOption(GrantForm);
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType != JsonTokenType.String || JsonText.Read(ref reader, name, out var text) is not null)
                {
                    return Problem.BadOption(GrantForm);
                }

                if ((name == "queues" ? AddQueue(queues, text!) : AddPermission(ref can, text!)) is { } problem)
                {
                    return problem;
                }
            }
        }

        grant = new AccessGrant(queues, can);
        return fields.Problem ?? (queues.Count > 0 && can != Permissions.None ? null : Problem.BadOption(GrantForm));
    }

    private static Problem? AddQueue(List<string> queues, string text)
    {
        if (text.Length is 0 or > PatternCharsMax)
        {
            return new Problem(ProblemType.BadQueueName, $"A name or pattern of queues has 1 to {PatternCharsMax} characters.");
        }

        queues.Add(text);
        return queues.Count <= AccessToken.GrantsMax
            ? null
            : Problem.BadOption($"A token may name at most {AccessToken.GrantsMax} queues; use patterns, like orders.*.");
    }

    private static Problem? AddPermission(ref Permissions can, string word)
    {
        var permission = AccessFile.Permission(word);
        can |= permission;
        return permission == Permissions.None
            ? Problem.BadOption($"There is no permission '{OptionValues.Shown(word)}'; the permissions are {AccessFile.PermissionList}.")
            : null;
    }
}
