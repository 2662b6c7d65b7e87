namespace PushQueue.Storage.Redis;

/// <summary>
/// The kinds of notifications between nodes. A script names them, as in <c>notify('Ready')</c>; the letter that travels is put in when the
/// script's text is composed (<see cref="RedisScripts"/>), so that C# and Lua cannot differ. A letter may never change its meaning.
/// </summary>
internal enum RedisNotification : byte
{
    /// <summary>Messages became ready in a queue that had none.</summary>
    Ready = (byte)'R',

    /// <summary>The same, in its dead-letter queue.</summary>
    DeadLetterReady = (byte)'d',

    /// <summary>The same, in the queue whose dead letters it holds.</summary>
    SourceReady = (byte)'s',

    /// <summary>Messages became ready that go to history although nobody listens, because the queue feeds others.</summary>
    Feeding = (byte)'H',

    /// <summary>The queue was made.</summary>
    Made = (byte)'M',

    /// <summary>The same, of the queue whose dead letters it holds.</summary>
    SourceMade = (byte)'m',

    /// <summary>Messages wait for the turn of one node. Text: its number.</summary>
    Turn = (byte)'T',

    /// <summary>Messages were broadcast. Text: the next offset.</summary>
    Broadcast = (byte)'B',

    /// <summary>A message is finished. Texts: id, 1 if it was acked, worker, attempts, reason, receipt.</summary>
    Finished = (byte)'F',

    /// <summary>A lease ended without an ack. Texts: id, receipt.</summary>
    LeaseEnded = (byte)'E',

    /// <summary>A leased message was cancelled. Texts: id, receipt.</summary>
    LeasedCancelled = (byte)'C',

    /// <summary>An attempt of a worker failed. Text: the worker.</summary>
    WorkerFailed = (byte)'W',

    /// <summary>Settings changed. Text: the values of all settings, a line each.</summary>
    SettingsChanged = (byte)'S',

    /// <summary>The queue was deleted.</summary>
    Deleted = (byte)'D',
}
