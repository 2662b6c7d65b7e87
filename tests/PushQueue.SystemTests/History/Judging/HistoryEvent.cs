namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// Something that a client of the server saw, or that was done to the server. Recorded in the order in which it was seen; "before" and
/// "after" in the judges mean that order. A key is a message's id, chosen by its producer: <c>PRODUCER-NUMBER</c>.
/// </summary>
internal abstract record HistoryEvent;

/// <summary>
/// A put is about to be sent for the first time. A producer that gets no answer repeats it under the same id until it gets one.
/// </summary>
internal sealed record PutTried(string Queue, string Key) : HistoryEvent;

/// <summary>The put was answered: stored now, or by an earlier try.</summary>
internal sealed record PutStored(string Queue, string Key) : HistoryEvent;

/// <summary>A consumer is about to connect.</summary>
/// <param name="Queue">To which queue.</param>
/// <param name="Consumer">The consumer.</param>
/// <param name="Connection">New for every connection.</param>
/// <param name="Server">The number of the server, from 0.</param>
/// <param name="MayOverflow">Whether it asked that messages be dropped where it reads too slowly.</param>
internal sealed record Connecting(string Queue, string Consumer, int Connection, int Server = 0, bool MayOverflow = false) : HistoryEvent;

/// <summary>A consumer with a grace time was told the token of its place, before any message of that connection.</summary>
/// <param name="Queue">Of which queue.</param>
/// <param name="Consumer">The consumer.</param>
/// <param name="Connection">On which connection.</param>
/// <param name="Token">The same as before where it took up its place.</param>
/// <param name="Resumed">How many messages the server says were kept for it.</param>
internal sealed record PlaceTold(string Queue, string Consumer, int Connection, string Token, int Resumed) : HistoryEvent;

/// <summary>A message came, whole.</summary>
/// <param name="Queue">Where it was put.</param>
/// <param name="Consumer">The consumer that got it.</param>
/// <param name="Connection">On which connection.</param>
/// <param name="Key">Its id.</param>
/// <param name="Attempt">How often it was given out; 0 where it does not say.</param>
/// <param name="Offset">Its place in the broadcast; 0 elsewhere.</param>
/// <param name="Epoch">The epoch of the offset.</param>
/// <param name="Receipt">By which it is acked; empty where it is not leased.</param>
internal sealed record Arrived(
    string Queue, string Consumer, int Connection, string Key, int Attempt =
        0, long Offset = 0, string Epoch = "", string Receipt = "") : HistoryEvent;

/// <summary>A broadcast consumer got a gap for messages that it does not get; the numbers are 0 for the cause <c>reset</c>.</summary>
internal sealed record GapTold(string Queue, string Consumer, string Cause, long From, long To, long Count) : HistoryEvent;

/// <summary>An ack is about to be sent.</summary>
internal sealed record AckSent(string Queue, string Key) : HistoryEvent;

/// <summary>An ack was answered: the message is done with.</summary>
internal sealed record AckConfirmed(string Queue, string Key, int Attempt) : HistoryEvent;

/// <summary>A consumer is about to give a message back.</summary>
internal sealed record ReleaseSent(string Queue, string Key) : HistoryEvent;

/// <summary>A take that asked for so many messages got no answer: what it took may be lost with it.</summary>
internal sealed record TakeUnanswered(string Queue, int Count) : HistoryEvent;

/// <summary>A change of a queue's subscriptions is about to be sent.</summary>
/// <param name="Queue">The subscriber.</param>
/// <param name="IsOn">Whether the queue subscribes from then on, or no longer.</param>
internal sealed record SubscriptionSent(string Queue, bool IsOn) : HistoryEvent;

/// <summary>The change was answered; a request without an answer that is executed later sets the same.</summary>
internal sealed record SubscriptionConfirmed(string Queue, bool IsOn) : HistoryEvent;

/// <summary>A server was killed.</summary>
/// <param name="Server">Its number, from 0.</param>
internal sealed record Killed(int Server = 0) : HistoryEvent;

/// <summary>
/// From now on servers may be unable to note down what they give out: one sleeps past its leases, or what they share is away.
/// </summary>
internal sealed record OutageBegun : HistoryEvent;

/// <summary>The last outage is over, and all servers serve again.</summary>
internal sealed record OutageOver : HistoryEvent;

/// <summary>A server lost its data: everything begins again.</summary>
internal sealed record Wiped : HistoryEvent;

/// <summary>At the end: a message that lies in the queue's dead-letter queue.</summary>
internal sealed record FoundDead(string Queue, string Key) : HistoryEvent;

/// <summary>At the end: what the server says is still in the queue, and how far its broadcast has come.</summary>
internal sealed record FoundLeft(
    string Queue,
    long Ready,
    long Delayed,
    long Leased,
    string Epoch = "",
    long NextOffset = 1) : HistoryEvent;
