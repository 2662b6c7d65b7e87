using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Commands;

/// <summary>The options of a command: its fields, except those that the command reads by itself.</summary>
/// <param name="frame">The command.</param>
/// <param name="own">The names of the fields that are not options, separated by a comma and a space.</param>
internal struct FrameOptions(CommandFrame frame, string own) : IOptionSource
{
    private int _next;
    private List<string>? _conditions;
    private int _nextCondition;

    /// <inheritdoc/>
    public Problem? Problem { get; private set; }

    /// <inheritdoc/>
    public bool Next(out ReadOnlySpan<char> name, out string value)
    {
        name = default;
        value = "";
        while (_next < frame.Count || _nextCondition < _conditions?.Count)
        {
            if (_nextCondition < _conditions?.Count)
            {
                name = "where";
                value = _conditions[_nextCondition++];
                return true;
            }

            var field = frame.NameAt(_next++);
            if (field is "queue" || OptionValues.IsOneOf(own, field))
            {
                continue;
            }

            if (field is "where")
            {
                // One field has all conditions; a query string has an option for each.
                Problem = WhereJson.ReadConditions(frame.Raw(field), out _conditions);
                if (Problem is not null)
                {
                    return false;
                }

                continue;
            }

            Problem = frame.Text(field, required: false, out var text);
            name = field;
            value = text ?? "";
            return Problem is null;
        }

        return false;
    }
}
