namespace PushQueue.Load;

/// <summary>A run that cannot go on, with a sentence for whoever started it.</summary>
internal sealed class LoadException(string message) : Exception(message);
