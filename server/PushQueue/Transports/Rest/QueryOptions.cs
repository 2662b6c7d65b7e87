using Microsoft.AspNetCore.Http;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>
/// Walks over a query string, one option at a time. Written by hand because the framework's reading makes a dictionary per request and
/// decodes leniently.
/// </summary>
internal ref struct QueryOptions : IOptionSource
{
    /// <summary>The option that scripts add to the address of a GET so that no cache answers it.</summary>
    private const string CacheBuster = "_";

    private readonly bool _isGet;
    private ReadOnlySpan<char> _rest;

    public QueryOptions(HttpRequest request)
    {
        _isGet = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        _rest = request.QueryString.Value;
        if (_rest is ['?', ..])
        {
            _rest = _rest[1..];
        }
    }

    /// <summary>Set when <see cref="Next"/> stopped because the query string is broken.</summary>
    public Problem? Problem { get; private set; }

    /// <inheritdoc/>
    public bool Next(out ReadOnlySpan<char> name, out string value)
    {
        name = default;
        value = "";
        while (!_rest.IsEmpty)
        {
            var end = _rest.IndexOf('&');
            var pair = end < 0 ? _rest : _rest[..end];
            _rest = end < 0 ? default : _rest[(end + 1)..];
            if (pair.IsEmpty)
            {
                continue;
            }

            var equals = pair.IndexOf('=');
            var rawName = equals < 0 ? pair : pair[..equals];
            var rawValue = equals < 0 ? default : pair[(equals + 1)..];
            if (PercentCoding.TryDecode(rawName, plusIsSpace: true, out var decodedName)
                && PercentCoding.TryDecode(rawValue, plusIsSpace: true, out value))
            {
                name = decodedName;
                if (_isGet && decodedName == CacheBuster)
                {
                    continue;
                }

                if (OptionValues.MayRepeat(decodedName) || !ComesAgain(decodedName))
                {
                    return true;
                }

                Problem = Problem.BadOption($"The option '{OptionValues.Shown(name)}' is given twice; give it once.");
                return false;
            }

            Problem = Problem.BadOption($"The option '{OptionValues.Shown(pair)}' is not valid percent-encoded UTF-8.");
            return false;
        }

        return false;
    }

    /// <summary>Whether a name comes again behind this one.</summary>
    private readonly bool ComesAgain(string name)
    {
        for (var rest = _rest; !rest.IsEmpty;)
        {
            var end = rest.IndexOf('&');
            var pair = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            var equals = pair.IndexOf('=');
            var other = equals < 0 ? pair : pair[..equals];
            if (other.ContainsAny('%', '+')
                ? PercentCoding.TryDecode(other, plusIsSpace: true, out var decoded) && decoded == name
                : other.SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>For requests that take no option at all.</summary>
    public static Problem? None(HttpRequest request)
    {
        var query = new QueryOptions(request);
        return query.Next(out var name, out _)
            ? Problem.BadOption($"There is no option '{OptionValues.Shown(name)}' here; this request takes none.")
            : query.Problem;
    }
}
