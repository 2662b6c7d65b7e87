namespace PushQueue.Queues;

/// <summary>A message reserved for one worker.</summary>
/// <param name="Message">The message; its <see cref="Message.Attempt"/> counts this lease.</param>
/// <param name="Receipt">What ack, release and touch must present.</param>
/// <param name="Until">When the lease ends by itself; null while it lives as long as its holder's connection does.</param>
internal readonly record struct Lease(Message Message, Receipt Receipt, DateTimeOffset? Until);

/// <summary>One lease as a worker names it.</summary>
internal readonly record struct LeaseKey(MessageId Id, Receipt Receipt);

/// <summary>What is asked for when messages are leased.</summary>
/// <param name="Count">At most this many messages, at least 1.</param>
/// <param name="BytesMax">Stop before the bodies exceed this many bytes; the first message always goes.</param>
/// <param name="TimeToRun">Until when; null for a lease that lives until it is acked or released (its holder's connection guards it).</param>
/// <param name="Worker">The worker's name, kept with the message.</param>
/// <param name="Delivery">
/// True for a stream with auto ack: the lease lasts only while the message is written to a connection. It is not recorded (after a crash
/// the message is simply ready) and does not count as an attempt.
/// </param>
internal sealed record LeaseRequest(int Count, int BytesMax, TimeSpan? TimeToRun, string? Worker = null, bool Delivery = false);

/// <summary>How a leased message is given back.</summary>
/// <param name="Delay">Not given out again before this time has passed; null for the retry delay of message or queue.</param>
/// <param name="Error">What went wrong, kept as the message's last error.</param>
/// <param name="CountsAsAttempt">False where the message never reached a worker (a write to a connection failed).</param>
/// <param name="Worker">Who gives it back, where the lease was taken without a name.</param>
internal sealed record ReleaseRequest(TimeSpan? Delay = null, string? Error = null, bool CountsAsAttempt = true, string? Worker = null);
