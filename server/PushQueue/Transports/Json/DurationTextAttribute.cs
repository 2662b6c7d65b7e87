namespace PushQueue.Transports.Json;

/// <summary>Marks a member of a contract that is a duration, such as <c>30s</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DurationTextAttribute : Attribute;
