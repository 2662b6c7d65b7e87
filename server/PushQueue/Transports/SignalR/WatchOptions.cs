using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using PushQueue.Diagnostics;

namespace PushQueue.Transports.SignalR;

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

        var reader = new Utf8JsonReader(JsonText.Raw(given), JsonBody.ReaderOptions);
        reader.Read();
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (JsonText.Read(ref reader, name, out var value) is { } problem)
            {
                throw HubCommands.Failure(problem);
            }

            if (value is not null)
            {
                view = Set(view, name, value);
            }
        }

        return fields.Problem is { } twice ? throw HubCommands.Failure(twice) : view;
    }

    private static BoardView Set(BoardView view, string name, string value) => name switch
    {
        "filter" => view with { Filter = value },
        "show" => view with { Show = OneOf(name, value, Choices) },
        "sort" => WithSort(view, value),
        "offset" => view with { Offset = Number(name, value, 0, OffsetMax) },
        "limit" => view with { Limit = Number(name, value, 1, BoardView.LimitMax) },
        _ => throw Wrong($"There is no option '{OptionValues.Shown(name)}' here; the options are: {Names}."),
    };

    private static BoardView WithSort(BoardView view, string text)
    {
        var descending = text.StartsWith('-');
        return Orders.TryGetValue(descending ? text[1..] : text, out var order)
            ? view with { Order = order, Descending = descending }
            : throw Wrong(
                $"The option 'sort' is '{OptionValues.Shown(text)}'; "
                + $"give one of {string.Join(", ", Orders.Keys)}, with '-' before it for descending.");
    }

    private static T OneOf<T>(string name, string text, Dictionary<string, T> values) =>
        values.TryGetValue(text, out var value)
            ? value
            : throw Wrong($"The option '{name}' is '{OptionValues.Shown(text)}'; give one of {string.Join(", ", values.Keys)}.");

    private static int Number(string name, string text, int min, int max) =>
        OptionValues.Integer(name, text, min, max, out var number) is { } problem ? throw HubCommands.Failure(problem) : number;

    private static HubException Wrong(string sentence) => HubCommands.Failure(Problem.BadOption(sentence));
}
