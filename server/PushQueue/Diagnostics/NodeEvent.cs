namespace PushQueue.Diagnostics;

/// <summary>Something that an operator would want to know.</summary>
/// <param name="Number">Its number, by which it is known: 1, 2, 3 …</param>
/// <param name="Version">Grows with every change of any event; what is newer than what was seen has a greater one.</param>
/// <param name="Level">How bad it is.</param>
/// <param name="Code">The code that programs compare.</param>
/// <param name="Text">The sentence that people read.</param>
/// <param name="Queue">The queue that it is about; null if it is about no queue.</param>
/// <param name="FirstAt">When it happened first.</param>
/// <param name="LastAt">When it happened last.</param>
/// <param name="Count">How often it happened.</param>
internal sealed record NodeEvent(
    long Number, long Version, NodeEventLevel Level, string Code, string Text, string? Queue, DateTimeOffset FirstAt, DateTimeOffset LastAt,
        long Count);

internal enum NodeEventLevel
{
    Info = 0,
    Warning,
    Error,
}
