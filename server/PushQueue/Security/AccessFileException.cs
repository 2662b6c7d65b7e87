namespace PushQueue.Security;

/// <summary>The access file is wrong. The message is a sentence for the operator, without the file's name.</summary>
internal sealed class AccessFileException(string message) : Exception(message);
