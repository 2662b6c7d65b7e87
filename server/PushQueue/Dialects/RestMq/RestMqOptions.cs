namespace PushQueue.Dialects.RestMq;

/// <summary>Options of the RestMQ dialect.</summary>
public sealed class RestMqOptions
{
    /// <summary>The access file; null for everyone may do everything. Guards this dialect alone.</summary>
    public string? AccessFile { get; set; }
}
