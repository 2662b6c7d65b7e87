using System.Runtime.CompilerServices;
using System.Text.Json;

namespace PushQueue.Transports;

/// <summary>
/// Walks over the fields of one JSON object and refuses a name that is given twice: two readers would take two different values. The JSON
/// has been validated, so that the reader cannot throw. The caller consumes each value before it asks for the next field.
/// </summary>
internal ref struct JsonFields
{
    private Names _names;
    private int _count;
    private HashSet<string>? _more;

    /// <summary>Set where a name was wrong. The walk passes over such a field, so that the fields behind it are still found.</summary>
    public Problem? Problem { get; private set; }

    /// <summary>Moves to the value of the next field; false at the end of the object.</summary>
    /// <param name="reader">A reader that stands at the start of the object, or at the end of a value.</param>
    /// <param name="name">The name of the field.</param>
    public bool Next(ref Utf8JsonReader reader, out string name)
    {
        name = "";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var problem = !JsonNames.TryRead(ref reader, out name)
                ? Problem.BadJson("The name of a field is not valid Unicode.")
                : WhyNot(name);
            reader.Read();
            if (problem is null)
            {
                return true;
            }

            Problem ??= problem;
            reader.Skip();
        }

        return false;
    }

    /// <summary>Counts a name; the problem where it was counted before.</summary>
    public Problem? WhyNot(string name) =>
        IsNew(name) ? null : Problem.BadOption($"The field '{OptionValues.Shown(name)}' is given twice; give it once.");

    private bool IsNew(string name)
    {
        if (_more is not null)
        {
            return _more.Add(name);
        }

        foreach (var known in ((ReadOnlySpan<string>)_names)[.._count])
        {
            if (known == name)
            {
                return false;
            }
        }

        if (_count < Names.Length)
        {
            _names[_count++] = name;
            return true;
        }

        _more = new HashSet<string>(StringComparer.Ordinal) { name };
        foreach (var known in _names)
        {
            _more.Add(known);
        }

        return _more.Count > Names.Length;
    }

    [InlineArray(Length)]
    private struct Names
    {
        public const int Length = 12;

#pragma warning disable S1144, IDE0051, CS0169 // The runtime repeats this field.
        private string _first;
#pragma warning restore S1144, IDE0051, CS0169
    }
}
