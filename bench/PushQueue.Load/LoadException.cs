namespace PushQueue.Load;

/// <summary>A run that cannot continue, with a sentence for the user.</summary>
internal sealed class LoadException(string message) : Exception(message);
