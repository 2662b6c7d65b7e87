using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using PushQueue.Diagnostics;

namespace PushQueue.Transports.SignalR.Watching;

/// <summary>Reads what a watcher of the overview wants to see: an object with any of filter, show, sort, offset and limit.</summary>
internal static class WatchOptions
{
    private const int OffsetMax = 10_000_000;
    private const string Names = "filter, show, sort, offset, limit";

    private static readonly Dictionary<string, BoardOrder> Orders = new(StringComparer.Ordinal)
    {
        ["queue"] = BoardOrder.Name,
        ["policy"] = BoardOrder.Policy,
        ["ready"] = BoardOrder.Ready,
        ["delayed"] = BoardOrder.Delayed,
        ["leased"] = BoardOrder.Leased,
        ["dead"] = BoardOrder.Dead,
        ["put"] = BoardOrder.Put,
        ["delivered"] = BoardOrder.Delivered,
        ["oldest"] = BoardOrder.Oldest,
        ["consumers"] = BoardOrder.Consumers,
    };

    private static readonly Dictionary<string, BoardChoice> Choices = new(StringComparer.Ordinal)
    {
        ["all"] = BoardChoice.All,
        ["waiting"] = BoardChoice.Waiting,
        ["busy"] = BoardChoice.Busy,
        ["stopped"] = BoardChoice.Stopped,
        ["unheard"] = BoardChoice.Unheard,
        ["dead"] = BoardChoice.Dead,
    };

    /// <exception cref="HubException">An option is wrong; the message says which.</exception>
    public static BoardView Read(JsonElement? json)
    {
        var view = new BoardView();
        if (json is not { ValueKind: not JsonValueKind.Null } given)
        {
            return view;
        }

        if (given.ValueKind != JsonValueKind.Object)
        {
            throw Wrong($"The options must be an object with any of: {Names}.");
        }

        foreach (var option in given.EnumerateObject())
        {
            view = option.Name switch
            {
                "filter" => view with { Filter = Text(option) },
                "show" => view with { Show = OneOf(option, Choices) },
                "sort" => WithSort(view, option),
                "offset" => view with { Offset = Number(option, 0, OffsetMax) },
                "limit" => view with { Limit = Number(option, 1, BoardView.LimitMax) },
                _ => throw Wrong($"There is no option '{OptionValues.Shown(option.Name)}' here; the options are: {Names}."),
            };
        }

        return view;
    }

    private static BoardView WithSort(BoardView view, JsonProperty option)
    {
        var text = Text(option);
        var descending = text.StartsWith('-');
        return Orders.TryGetValue(descending ? text[1..] : text, out var order)
            ? view with { Order = order, Descending = descending }
            : throw Wrong($"The option 'sort' is '{OptionValues.Shown(text)}'; give one of {string.Join(", ", Orders.Keys)}, with '-' before it for descending.");
    }

    private static T OneOf<T>(JsonProperty option, Dictionary<string, T> values)
    {
        var text = Text(option);
        return values.TryGetValue(text, out var value)
            ? value
            : throw Wrong($"The option '{option.Name}' is '{OptionValues.Shown(text)}'; give one of {string.Join(", ", values.Keys)}.");
    }

    private static string Text(JsonProperty option) =>
        option.Value.ValueKind == JsonValueKind.String ? option.Value.GetString()! : throw Wrong($"The option '{option.Name}' must be a string.");

    private static int Number(JsonProperty option, int min, int max) =>
        option.Value.ValueKind == JsonValueKind.Number && option.Value.TryGetInt32(out var number) && number >= min && number <= max
            ? number
            : throw Wrong($"The option '{option.Name}' must be a whole number from {min} to {max}.");

    private static HubException Wrong(string sentence) => new($"bad-option: {sentence}");
}
