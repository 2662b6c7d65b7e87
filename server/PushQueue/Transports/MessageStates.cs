using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>The states by which messages are listed: those of live messages, and history, whose messages were broadcast.</summary>
internal static class MessageStates
{
    private const string History = "history";

    /// <summary>The word for a state; null is history.</summary>
    public static string NameOf(MessageState? state) => state switch
    {
        null => History,
        MessageState.Ready => "ready",
        MessageState.Delayed => "delayed",
        MessageState.Leased => "leased",
        _ => "dead",
    };

    /// <summary>Null for history.</summary>
    public static Problem? Read(string text, out MessageState? state)
    {
        (state, var known) = text switch
        {
            "ready" => (MessageState.Ready, true),
            "delayed" => (MessageState.Delayed, true),
            "leased" => (MessageState.Leased, true),
            "dead" => (MessageState.Dead, true),
            History => ((MessageState?)null, true),
            _ => (null, false),
        };
        return known
            ? null
            : Problem.BadOption($"The state is '{OptionValues.Shown(text)}'; give ready, delayed, leased, dead or history.");
    }
}
